//! Fences: points in time, taken together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Deref;

use smallvec::{SmallVec, smallvec};

use crate::semaphore::{Agenda, Look};
use crate::{Result, Semaphore, Status, Timeout, Timepoint, WaitMode, wait_timepoints};

/// Up to this many points are looked through one by one.
const FEW: usize = 16;

/// Points of any number of semaphores, each semaphore once with its highest
/// value. Reads as a slice of [`Timepoint`].
#[derive(Clone, Debug, Default)]
pub struct Fence(SmallVec<[Timepoint; 1]>);

impl Fence {
    /// A fence without points: reached already.
    pub fn new() -> Self {
        Self::default()
    }

    /// A fence of one point.
    pub fn at(semaphore: &Semaphore, value: u64) -> Self {
        Self(smallvec![Timepoint::new(semaphore, value)])
    }

    /// Adds a point. Of two values of one semaphore the higher stays.
    pub fn insert(&mut self, semaphore: &Semaphore, value: u64) {
        match self
            .0
            .iter_mut()
            .find(|point| point.semaphore.ptr_eq(semaphore))
        {
            Some(point) => point.value = point.value.max(value),
            None => self.0.push(Timepoint::new(semaphore, value)),
        }
    }

    /// Adds all points of another fence.
    pub fn extend(&mut self, other: &[Timepoint]) {
        self.add(other.iter().cloned());
    }

    /// Adds points: each takes the same time, however many there are.
    fn add(&mut self, points: impl IntoIterator<Item = Timepoint>) {
        // Where semaphores stand, once they are many.
        let mut places = HashMap::new();
        for point in points {
            if self.0.len() < FEW {
                self.insert(&point.semaphore, point.value);
                continue;
            }
            if places.is_empty() {
                let known = self.0.iter().enumerate();
                places.extend(known.map(|(place, point)| (point.semaphore.address(), place)));
            }
            match places.entry(point.semaphore.address()) {
                Entry::Occupied(place) => {
                    let known = &mut self.0[*place.get()];
                    known.value = known.value.max(point.value);
                }
                Entry::Vacant(place) => {
                    place.insert(self.0.len());
                    self.0.push(point);
                }
            }
        }
    }

    /// All points of all fences.
    pub fn join<'a>(fences: impl IntoIterator<Item = &'a Fence>) -> Self {
        let mut joined = Self::new();
        joined.add(fences.into_iter().flat_map(|fence| fence.iter().cloned()));
        joined
    }

    /// Whether every point is reached; the failure of a semaphore that failed.
    pub fn query(&self) -> Result<bool> {
        let mut is_reached = true;
        for point in &self.0 {
            is_reached &= point.semaphore.query()? >= point.value;
        }
        Ok(is_reached)
    }

    /// As [`Fence::query`], by what is known already: without looking at the device.
    pub fn peek(&self) -> Result<bool> {
        let mut is_reached = true;
        for point in &self.0 {
            match point.semaphore.timeline().look(point.value) {
                Look::Reached => {}
                Look::Failed(status) => return Err(status),
                Look::Promised(_) | Look::Pending => is_reached = false,
            }
        }
        Ok(is_reached)
    }

    /// Whether work has been submitted, or is complete, for every point.
    pub fn is_promised(&self) -> bool {
        let mut points = self.0.iter();
        points.all(|point| {
            let look = point.semaphore.timeline().look(point.value);
            matches!(look, Look::Reached | Look::Promised(_))
        })
    }

    /// Sleeps until every point is reached.
    pub fn wait(&self, timeout: impl Into<Timeout>) -> Result<()> {
        wait_timepoints(&self.0, WaitMode::All, timeout)
    }

    /// Signals every point from the host. All are tried; the first error is returned.
    pub fn signal(&self) -> Result<()> {
        let mut result = Ok(());
        let mut agenda = Agenda::new();
        for point in &self.0 {
            let signalled = point.semaphore.timeline().signal(point.value, &mut agenda);
            result = result.and(signalled);
        }
        agenda.run();
        result
    }

    /// Fails every semaphore of the fence.
    pub fn fail(&self, status: &Status) {
        let mut agenda = Agenda::new();
        for point in &self.0 {
            point.semaphore.timeline().fail(status.clone(), &mut agenda);
        }
        agenda.run();
    }
}

impl Deref for Fence {
    type Target = [Timepoint];

    fn deref(&self) -> &[Timepoint] {
        &self.0
    }
}

impl FromIterator<Timepoint> for Fence {
    fn from_iter<I: IntoIterator<Item = Timepoint>>(points: I) -> Self {
        let mut fence = Self::new();
        fence.add(points);
        fence
    }
}
