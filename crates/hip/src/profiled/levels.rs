//! How much memory is in use, and where an address lies.

use std::collections::BTreeMap;

use profile::{Profiler, TrackId};

use crate::DevicePtr;

/// Whose memory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Device,
    Host,
}

/// Memory that was allocated.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub(super) place: Place,
    pub(super) bytes: u64,
}

#[derive(Default)]
pub(super) struct Levels {
    live: BTreeMap<u64, Memory>,
    /// Bytes in use and the track that says so, of each place.
    in_use: [(u64, Option<TrackId>); 2],
}

impl Levels {
    pub(super) fn add(
        &mut self,
        profiler: &Profiler,
        device: &str,
        place: Place,
        address: DevicePtr,
        bytes: u64,
    ) {
        self.live.insert(address.0, Memory { place, bytes });
        let (in_use, track) = &mut self.in_use[place as usize];
        *in_use += bytes;
        let track = track.get_or_insert_with(|| match place {
            Place::Device => profiler.add_track(device, "device memory"),
            Place::Host => profiler.add_track(device, "pinned host memory"),
        });
        profiler.level(*track, *in_use);
    }

    pub(super) fn remove(&mut self, profiler: &Profiler, address: u64) -> Option<Memory> {
        let memory = self.live.remove(&address)?;
        let (in_use, track) = &mut self.in_use[memory.place as usize];
        *in_use = in_use.saturating_sub(memory.bytes);
        if let Some(track) = track {
            profiler.level(*track, *in_use);
        }
        Some(memory)
    }

    /// Where an address lies; what nobody has allocated is the device's.
    pub(super) fn place(&self, address: DevicePtr) -> Place {
        match self.live.range(..=address.0).next_back() {
            Some((start, memory)) if address.0 - start < memory.bytes => memory.place,
            _ => Place::Device,
        }
    }
}

#[cfg(test)]
mod tests {
    use profile::Detail;

    use super::*;

    #[test]
    fn levels_rise_and_fall_and_addresses_have_places() {
        let profiler = Profiler::default();
        let mut levels = Levels::default();
        levels.add(&profiler, "gpu", Place::Device, DevicePtr(100), 10);
        levels.add(&profiler, "gpu", Place::Host, DevicePtr(200), 5);
        levels.add(&profiler, "gpu", Place::Device, DevicePtr(300), 1);
        assert_eq!(levels.place(DevicePtr(204)), Place::Host);
        assert_eq!(levels.place(DevicePtr(205)), Place::Device);
        assert_eq!(levels.place(DevicePtr(0)), Place::Device);
        let removed = levels.remove(&profiler, 100);
        assert_eq!(removed.map(|memory| memory.bytes), Some(10));
        assert!(levels.remove(&profiler, 100).is_none());
        let profile = profiler.profile();
        let samples: Vec<_> = profile
            .events
            .iter()
            .map(|event| (event.track.index(), event.detail))
            .collect();
        let bytes = Detail::Bytes;
        assert_eq!(
            samples,
            [(0, bytes(10)), (1, bytes(5)), (0, bytes(11)), (0, bytes(1))]
        );
        assert_eq!(profile.tracks[1].name, "pinned host memory");
    }
}
