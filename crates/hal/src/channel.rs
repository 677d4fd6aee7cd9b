//! Collective channels, and what collective commands do on them.

use std::fmt;

use crate::{Result, Status};

/// A group of participants in collective commands, as one of them sees it. It
/// exists so that programs that create channels load; recording collective
/// commands is UNIMPLEMENTED.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    rank: u32,
    count: u32,
}

impl Channel {
    /// Participant `rank` of `count`; INVALID_ARGUMENT if there is no such one.
    pub(crate) fn new(rank: u32, count: u32) -> Result<Self> {
        if rank >= count {
            return Err(Status::invalid_argument(format!(
                "a channel of {count} participants has no rank {rank}"
            )));
        }
        Ok(Self { rank, count })
    }

    /// Which participant this is, from 0.
    pub fn rank(&self) -> u32 {
        self.rank
    }

    /// How many participants there are.
    pub fn count(&self) -> u32 {
        self.count
    }
}

macro_rules! packed_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)*
        }

        impl $name {
            /// The variant with this number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Lower-case name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    )*};
}

packed_enum! {
    /// What a collective command does.
    CollectiveKind {
        /// Everybody gets everybody's part.
        AllGather = 0 "all_gather",
        /// Everybody gets the reduction of all parts.
        AllReduce = 1 "all_reduce",
        /// Everybody sends a part to everybody.
        AllToAll = 2 "all_to_all",
        /// Everybody gets the root's data.
        Broadcast = 3 "broadcast",
        /// The root gets the reduction of all parts.
        Reduce = 4 "reduce",
        /// Everybody gets a part of the reduction.
        ReduceScatter = 5 "reduce_scatter",
        /// Sends to a peer.
        Send = 6 "send",
        /// Receives from a peer.
        Recv = 7 "recv",
        /// Sends to one peer and receives from another.
        SendRecv = 8 "send_recv",
    }
    /// How parts are combined.
    CollectiveReduction {
        /// They are not.
        None = 0 "none",
        /// By sum.
        Sum = 1 "sum",
        /// By product.
        Product = 2 "product",
        /// By minimum.
        Minimum = 3 "minimum",
        /// By maximum.
        Maximum = 4 "maximum",
        /// By average.
        Average = 5 "average",
    }
    /// What the parts are made of.
    CollectiveElement {
        /// Signed 8-bit integers.
        Si8 = 0 "si8",
        /// Unsigned 8-bit integers.
        Ui8 = 1 "ui8",
        /// Signed 16-bit integers.
        Si16 = 2 "si16",
        /// Unsigned 16-bit integers.
        Ui16 = 3 "ui16",
        /// Signed 32-bit integers.
        Si32 = 4 "si32",
        /// Unsigned 32-bit integers.
        Ui32 = 5 "ui32",
        /// Signed 64-bit integers.
        Si64 = 6 "si64",
        /// Unsigned 64-bit integers.
        Ui64 = 7 "ui64",
        /// 16-bit floats.
        F16 = 8 "f16",
        /// 32-bit floats.
        F32 = 9 "f32",
        /// 64-bit floats.
        F64 = 10 "f64",
        /// Brain floats.
        Bf16 = 11 "bf16",
    }
}

impl CollectiveKind {
    /// Whether it combines parts.
    pub const fn reduces(self) -> bool {
        matches!(self, Self::AllReduce | Self::Reduce | Self::ReduceScatter)
    }

    /// Whether it reads a buffer.
    pub const fn sends(self) -> bool {
        !matches!(self, Self::Recv)
    }

    /// Whether it writes a buffer.
    pub const fn receives(self) -> bool {
        !matches!(self, Self::Send)
    }
}

/// What a collective command does, to what, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CollectiveOp {
    /// What it does.
    pub kind: CollectiveKind,
    /// How parts are combined.
    pub reduction: CollectiveReduction,
    /// What the parts are made of.
    pub element: CollectiveElement,
}

impl CollectiveOp {
    /// From the form in programs: kind, reduction and element type in the low
    /// three bytes. INVALID_ARGUMENT for values that mean nothing.
    pub fn from_packed(packed: u32) -> Result<Self> {
        let [kind, reduction, element, rest] = packed.to_le_bytes();
        match (
            CollectiveKind::from_number(kind),
            CollectiveReduction::from_number(reduction),
            CollectiveElement::from_number(element),
            rest,
        ) {
            (Some(kind), Some(reduction), Some(element), 0) => Ok(Self {
                kind,
                reduction,
                element,
            }),
            _ => Err(Status::invalid_argument(format!(
                "{packed:#010x} is no collective operation"
            ))),
        }
    }
}

impl fmt::Display for CollectiveOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.element.name())?;
        match self.reduction {
            CollectiveReduction::None => Ok(()),
            reduction => write!(f, " {}", reduction.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StatusCode;

    #[test]
    fn operations_unpack_byte_by_byte() {
        let op = CollectiveOp::from_packed(0x0009_0101).unwrap();
        assert_eq!(op.to_string(), "all_reduce f32 sum");
        assert_eq!(
            CollectiveOp::from_packed(0x000B_0008).unwrap().to_string(),
            "send_recv bf16"
        );
        for wrong in [9, 0x600, 0xC_0000, 0x0100_0000] {
            let status = CollectiveOp::from_packed(wrong).unwrap_err();
            assert_eq!(status.code(), StatusCode::InvalidArgument, "{wrong:#x}");
        }
    }

    #[test]
    fn a_channel_has_its_rank() {
        let channel = Channel::new(1, 2).unwrap();
        assert_eq!((channel.rank(), channel.count()), (1, 2));
        assert!(Channel::new(2, 2).is_err());
        assert!(Channel::new(0, 0).is_err());
    }
}
