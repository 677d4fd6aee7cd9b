//! How much host memory the objects of a context take, and the limit of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Code, Error, Result};

/// Counts bytes. Objects share it and give their bytes back when they are dropped, wherever that is.
#[derive(Debug)]
pub(crate) struct Account {
    limit: u64,
    used: AtomicU64,
}

impl Account {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicU64::new(0),
        })
    }

    /// Bytes that are taken now.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> Result<()> {
        // Only the sum matters, so no other memory is ordered by it.
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.limit)
            })
            .map(|_| ())
            .map_err(|used| {
                Error::new(
                    Code::RESOURCE_EXHAUSTED,
                    format!(
                        "{bytes} bytes more than {used} are over the program's limit of {}",
                        self.limit
                    ),
                )
            })
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Host memory counted against what a program may use; given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    bytes: u64,
}

impl Charge {
    /// `RESOURCE_EXHAUSTED` if they are over the limit.
    pub(crate) fn new(account: &Arc<Account>, bytes: u64) -> Result<Self> {
        account.take(bytes)?;
        Ok(Self {
            account: Arc::clone(account),
            bytes,
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes it another number of bytes; `RESOURCE_EXHAUSTED` if they are over the limit, and nothing changes.
    pub(crate) fn resize(&mut self, bytes: u64) -> Result<()> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.account.take(more)?,
            None => self.account.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Gives all back.
    pub(crate) fn clear(&mut self) {
        self.account.give_back(std::mem::take(&mut self.bytes));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_stay_below_the_limit_and_are_given_back() {
        let account = Account::new(100);
        let mut first = Charge::new(&account, 60).unwrap();
        let error = Charge::new(&account, 41).unwrap_err();
        assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED);
        assert_eq!(
            error.message(),
            "41 bytes more than 60 are over the program's limit of 100"
        );
        let second = Charge::new(&account, 40).unwrap();
        assert!(first.resize(61).is_err());
        drop(second);
        first.resize(100).unwrap();
        assert_eq!(account.used(), 100);
        first.resize(1).unwrap();
        assert_eq!((account.used(), first.bytes()), (1, 1));
        drop(first);
        assert_eq!(account.used(), 0);
        assert!(Charge::new(&account, u64::MAX).is_err());
    }
}
