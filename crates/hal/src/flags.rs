//! Bit sets of the device interface. The values are part of the compiled
//! program's contract: modules carry them as integers.
//!
//! Several names stand for more than one bit ([`MemoryType::HOST_LOCAL`],
//! [`MemoryType::DEVICE_LOCAL`]): test with `contains`, which asks for *all*
//! bits, never with "any".

use bitflags::bitflags;

bitflags! {
    /// Where memory lives and who can reach it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MemoryType: u32 {
        /// The allocator chooses what suits the usage best.
        const OPTIMAL = 1;
        /// The host can map it.
        const HOST_VISIBLE = 2;
        /// No flush or invalidate is needed.
        const HOST_COHERENT = 4;
        /// The host reads it through its caches.
        const HOST_CACHED = 8;
        /// The device can reach it.
        const DEVICE_VISIBLE = 0x10;
        /// It is the host's memory: visible and coherent.
        const HOST_LOCAL = 0x46;
        /// It is the device's memory.
        const DEVICE_LOCAL = 0x30;
    }

    /// What may be done to the contents.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MemoryAccess: u32 {
        /// Read.
        const READ = 1;
        /// Written.
        const WRITE = 2;
        /// Earlier contents are not needed.
        const DISCARD = 4;
        /// May be reached under another name.
        const MAY_ALIAS = 8;
        /// Accesses may be unaligned.
        const UNALIGNED = 16;
        /// Any access; skips the check.
        const ANY = 32;
        /// Read, written and discarded.
        const ALL = 1 | 2 | 4;
    }

    /// What a buffer is used for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct BufferUsage: u32 {
        /// Source of copies.
        const TRANSFER_SOURCE = 1 << 0;
        /// Target of copies, fills and updates.
        const TRANSFER_TARGET = 1 << 1;
        /// Both ends of transfers.
        const TRANSFER = 1 << 0 | 1 << 1;
        /// Holds the workgroup counts of indirect dispatches.
        const DISPATCH_INDIRECT_PARAMS = 1 << 8;
        /// Read as uniforms by dispatches.
        const DISPATCH_UNIFORM_READ = 1 << 9;
        /// Read as storage by dispatches.
        const DISPATCH_STORAGE_READ = 1 << 10;
        /// Written as storage by dispatches.
        const DISPATCH_STORAGE_WRITE = 1 << 11;
        /// Read and written as storage by dispatches.
        const DISPATCH_STORAGE = 1 << 10 | 1 << 11;
        /// Read as an image by dispatches.
        const DISPATCH_IMAGE_READ = 1 << 12;
        /// Written as an image by dispatches.
        const DISPATCH_IMAGE_WRITE = 1 << 13;
        /// May be exported.
        const SHARING_EXPORT = 1 << 16;
        /// May be replicated on other devices.
        const SHARING_REPLICATE = 1 << 17;
        /// May be used by several devices at a time.
        const SHARING_CONCURRENT = 1 << 18;
        /// Is not written once it is shared.
        const SHARING_IMMUTABLE = 1 << 19;
        /// The host maps it for a while.
        const MAPPING_SCOPED = 1 << 24;
        /// The host keeps it mapped.
        const MAPPING_PERSISTENT = 1 << 25;
        /// Mapping is wanted only if it costs nothing.
        const MAPPING_OPTIONAL = 1 << 26;
        /// The host's accesses are scattered.
        const MAPPING_ACCESS_RANDOM = 1 << 27;
        /// The host writes front to back.
        const MAPPING_ACCESS_SEQUENTIAL_WRITE = 1 << 28;
        /// Mapped for a while, with scattered accesses.
        const MAPPING = 1 << 24 | 1 << 27;
        /// What a request without usage gets: transfers and storage.
        const DEFAULT = 1 << 0 | 1 << 1 | 1 << 10 | 1 << 11;
    }

    /// What an allocator and a device can do with a buffer.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct BufferCompatibility: u32 {
        /// It can be allocated.
        const ALLOCATABLE = 1 << 0;
        /// It can be imported.
        const IMPORTABLE = 1 << 1;
        /// It can be exported.
        const EXPORTABLE = 1 << 2;
        /// Queues can copy, fill and update it.
        const QUEUE_TRANSFER = 1 << 10;
        /// Queues can bind it to dispatches.
        const QUEUE_DISPATCH = 1 << 11;
        /// It works, slowly.
        const LOW_PERFORMANCE = 1 << 20;
    }

    /// How long a mapping lives.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MappingMode: u32 {
        /// As long as the mapping object.
        const SCOPED = 1;
        /// As long as the buffer.
        const PERSISTENT = 2;
    }

    /// How a command buffer may be used.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct CommandBufferFlags: u32 {
        /// Submitted once.
        const ONE_SHOT = 1;
        /// Executed from another command buffer.
        const NESTED = 2;
        /// May run while it is recorded.
        const ALLOW_INLINE_EXECUTION = 1 << 4;
        /// Recorded without validation.
        const UNVALIDATED = 1 << 5;
        /// The caller keeps every resource alive until the work is done.
        const UNRETAINED = 1 << 6;
    }

    /// What kinds of command a command buffer holds.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct CommandCategories: u32 {
        /// Copies, fills, updates.
        const TRANSFER = 1;
        /// Dispatches.
        const DISPATCH = 2;
        /// Both.
        const ANY = 3;
    }

    /// Stages that a barrier orders.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct ExecutionStage: u32 {
        /// Commands are issued.
        const COMMAND_ISSUE = 1;
        /// Commands are processed.
        const COMMAND_PROCESS = 2;
        /// Dispatches run.
        const DISPATCH = 4;
        /// Transfers run.
        const TRANSFER = 8;
        /// Commands have retired.
        const COMMAND_RETIRE = 16;
        /// The host acts.
        const HOST = 32;
    }

    /// Memory accesses that a barrier makes visible.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct AccessScope: u32 {
        /// Parameters of indirect commands are read.
        const INDIRECT_COMMAND_READ = 1;
        /// Constants are read.
        const CONSTANT_READ = 2;
        /// A dispatch reads.
        const DISPATCH_READ = 4;
        /// A dispatch writes.
        const DISPATCH_WRITE = 8;
        /// A transfer reads.
        const TRANSFER_READ = 16;
        /// A transfer writes.
        const TRANSFER_WRITE = 32;
        /// The host reads.
        const HOST_READ = 64;
        /// The host writes.
        const HOST_WRITE = 128;
        /// Anything reads.
        const MEMORY_READ = 256;
        /// Anything writes.
        const MEMORY_WRITE = 512;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composite_types_need_all_their_bits() {
        assert_eq!(MemoryType::HOST_LOCAL.bits(), 0x46);
        assert_eq!(MemoryType::DEVICE_LOCAL.bits(), 0x30);
        let visible = MemoryType::DEVICE_VISIBLE | MemoryType::HOST_VISIBLE;
        assert!(!visible.contains(MemoryType::DEVICE_LOCAL));
        assert!(!visible.contains(MemoryType::HOST_LOCAL));
        assert!(MemoryType::DEVICE_LOCAL.contains(MemoryType::DEVICE_VISIBLE));
        assert!(MemoryType::HOST_LOCAL.contains(MemoryType::HOST_COHERENT));
    }

    #[test]
    fn default_usage_is_transfer_and_storage() {
        assert_eq!(
            BufferUsage::DEFAULT,
            BufferUsage::TRANSFER | BufferUsage::DISPATCH_STORAGE
        );
        assert_eq!(BufferUsage::DEFAULT.bits(), 0xC03);
        assert_eq!(BufferUsage::MAPPING.bits(), 0x0900_0000);
    }

    #[test]
    fn values_are_the_contracts() {
        assert_eq!(CommandBufferFlags::all().bits(), 0x73);
        assert_eq!(CommandCategories::ANY.bits(), 3);
        assert_eq!(ExecutionStage::all().bits(), 0x3F);
        assert_eq!(AccessScope::all().bits(), 0x3FF);
        assert_eq!(BufferCompatibility::LOW_PERFORMANCE.bits(), 1 << 20);
        assert_eq!(MemoryAccess::ALL.bits(), 7);
    }
}
