//! What is recorded.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

macro_rules! words {
    ($(#[$attribute:meta])* $name:ident { $($(#[$doc:meta])* $member:ident = $word:literal,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $member,)*
        }

        impl $name {
            /// All of them, in the order in which they are listed.
            pub const ALL: &[Self] = &[$(Self::$member),*];

            /// One word for it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)*
                }
            }
        }
    };
}

words! {
    /// What a thread of the host is doing.
    Activity {
        /// A call from outside, and what surrounds its parts.
        Call = "call",
        /// Arguments are checked and copied to the device.
        Arguments = "arguments",
        /// Instructions of a program are interpreted.
        Program = "program",
        /// Commands are recorded.
        Recording = "recording",
        /// Recorded work is handed to a queue.
        Submission = "submission",
        /// The driver takes work.
        Driver = "driver",
        /// Memory is allocated or freed.
        Memory = "memory",
        /// The thread waits for a device.
        Waiting = "waiting",
        /// Modules and device code are made ready.
        Loading = "loading",
        /// Any other function that a program calls.
        Library = "library",
        /// What recording all this costs, as far as it is known. It is summed, not recorded.
        Profiling = "profiling",
    }
}

words! {
    /// What a queue of a device is doing.
    Work {
        /// A kernel runs.
        Dispatch = "dispatch",
        /// A graph of work runs.
        Graph = "graph",
        /// Bytes are copied.
        Copy = "copy",
        /// A pattern is repeated.
        Fill = "fill",
        /// The queue waits for another one.
        Wait = "wait",
    }
}

/// A name, cheap to copy.
#[derive(Clone, Debug)]
pub enum Name {
    /// One that is known beforehand.
    Static(&'static str),
    /// One that comes from a file.
    Shared(Arc<str>),
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl From<&'static str> for Name {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}

impl From<&Arc<str>> for Name {
    fn from(text: &Arc<str>) -> Self {
        Self::Shared(text.clone())
    }
}

/// A line of a profile: a thread, a queue, or a kind of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// What it belongs to: a process or a device.
    pub group: String,
    /// Which it is of that.
    pub name: String,
}

/// A track, by its place in [`Profile::tracks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(pub(crate) u16);

impl TrackId {
    /// The place.
    pub fn index(self) -> usize {
        self.0.into()
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Where.
    pub track: TrackId,
    /// When it began, in nanoseconds since the profiler was made.
    pub start_ns: u64,
    /// How long it lasted, in nanoseconds.
    pub duration_ns: u64,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What it is called.
    pub name: Name,
    /// More about it.
    pub detail: Detail,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A thread was at something.
    Host(Activity),
    /// A queue was at something that a thread had submitted.
    Device(Work, crate::Origin),
    /// So much memory was in use from then on: [`Detail::Bytes`].
    Level,
}

/// More about an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// There is no more.
    #[default]
    None,
    /// So many bytes.
    Bytes(u64),
    /// So many nodes of a graph.
    Nodes(u32),
    /// A kernel's workgroups, and the threads of each.
    Launch {
        /// Workgroups in x, y, z.
        grid: [u32; 3],
        /// Threads of a workgroup in x, y, z.
        block: [u32; 3],
    },
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Threads, queues and kinds of memory, in the order in which they were seen.
    pub tracks: Vec<Track>,
    /// What happened, in the order in which it became known: spans when they ended.
    pub events: Vec<Event>,
    /// How many events were forgotten, the oldest first, for want of room.
    pub dropped: u64,
    /// What calls spent their time on, forgotten events included.
    pub totals: crate::Totals,
}
