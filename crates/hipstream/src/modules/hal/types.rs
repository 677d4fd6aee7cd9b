//! The kinds of object that programs handle, by the names they know them by.

use hal::{
    Allocator, Buffer, BufferView, Channel, CommandBuffer, DescriptorSetLayout, Device, Event,
    Executable, Fence, File, PipelineLayout, Semaphore,
};
use vm::{RefType, Type};

macro_rules! types {
    ($($constant:ident: $object:ty = $name:literal,)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub static $constant: Type<$object> = Type::new($name);
        )*

        /// Every kind.
        pub static ALL: &[&RefType] = &[$($constant.erased(),)*];
    };
}

types! {
    ALLOCATOR: Allocator = "hal.allocator",
    BUFFER: Buffer = "hal.buffer",
    BUFFER_VIEW: BufferView = "hal.buffer_view",
    CHANNEL: Channel = "hal.channel",
    COMMAND_BUFFER: CommandBuffer = "hal.command_buffer",
    DESCRIPTOR_SET_LAYOUT: DescriptorSetLayout = "hal.descriptor_set_layout",
    DEVICE: Device = "hal.device",
    EVENT: Event = "hal.event",
    EXECUTABLE: Executable = "hal.executable",
    FENCE: Fence = "hal.fence",
    FILE: File = "hal.file",
    PIPELINE_LAYOUT: PipelineLayout = "hal.pipeline_layout",
    SEMAPHORE: Semaphore = "hal.semaphore",
}
