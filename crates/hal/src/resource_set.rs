//! References that keep alive what commands use.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::BlockPool;
use crate::block_pool::Chunk;

/// How many of the most recently inserted resources are remembered; their
/// addresses fill one cache line.
const RECENT: usize = 8;

/// Keeps everything that is inserted alive until it is dropped. For one thread
/// at a time.
///
/// Cheap rather than exact: a resource that is among the last eight is not
/// referenced again, any other is, even if the set has it. References stand in
/// chunks of a [`BlockPool`], which get them all back in one go.
pub struct ResourceSet {
    pool: BlockPool,
    chunks: Vec<Chunk>,
    /// Addresses, most recently inserted first; 0 is free.
    recent: [usize; RECENT],
    len: usize,
}

impl ResourceSet {
    /// An empty set; takes its first chunk when it needs one.
    pub fn new(pool: &BlockPool) -> Self {
        Self {
            pool: pool.clone(),
            chunks: Vec::new(),
            recent: [0; RECENT],
            len: 0,
        }
    }

    /// Keeps `resource` alive.
    pub fn insert<T: Any + Send + Sync>(&mut self, resource: &Arc<T>) {
        let address = Arc::as_ptr(resource) as usize;
        match self.recent.iter().position(|&recent| recent == address) {
            Some(position) => self.recent[..=position].rotate_right(1),
            None => {
                self.push(resource.clone());
                self.recent.rotate_right(1);
                self.recent[0] = address;
            }
        }
    }

    /// Keeps each of `resources` alive.
    pub fn extend<'a, T: Any + Send + Sync>(
        &mut self,
        resources: impl IntoIterator<Item = &'a Arc<T>>,
    ) {
        for resource in resources {
            self.insert(resource);
        }
    }

    /// How many references are held; a resource can have several.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        if !self.chunks.is_empty() {
            self.pool.release_chunks(&mut self.chunks);
        }
        self.recent = [0; RECENT];
        self.len = 0;
    }

    fn push(&mut self, resource: Arc<dyn Any + Send + Sync>) {
        if self
            .chunks
            .last()
            .is_none_or(|chunk| chunk.len() == chunk.capacity())
        {
            self.chunks.push(self.pool.acquire_chunk());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(resource);
            self.len += 1;
        }
    }
}

impl fmt::Debug for ResourceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceSet({} references)", self.len)
    }
}

impl Drop for ResourceSet {
    fn drop(&mut self) {
        self.clear();
    }
}
