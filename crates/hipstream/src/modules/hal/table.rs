//! The table of functions that programs import, a row per calling convention.
//!
//! Those marked `ahead` may be called while waits are owed: all they do is to
//! submit work behind those waits, or to make and ask objects of the program.
//!
//! The names are sorted. Of two rows with the same name the first is that of
//! version 7, the second that of version 2; other rows are the same in both or
//! exist in one.

use vm::{Call, Flow, NativeExport, Result};

use super::{
    HalModule, allocator, buffer, buffer_view, channel, command_buffer, device, executable, fence,
    queue,
};

/// What a function does: reads its arguments from the call, returns its results to it.
pub(super) type Function = fn(&mut HalModule, &mut Call<'_>) -> Result<Flow>;

macro_rules! table {
    ($($name:literal $signature:literal $function:path $(, $ahead:ident)?;)*) => {
        /// Names and calling conventions.
        pub(super) static EXPORTS: &[NativeExport] = &[
            $(NativeExport { name: $name, signature: $signature },)*
        ];

        /// What each does, by the same number.
        pub(super) static FUNCTIONS: &[Function] = &[$($function,)*];

        /// Which of them may be called while waits are owed.
        pub(super) static AHEAD: &[bool] = &[$(!stringify!($($ahead)?).is_empty(),)*];
    };
}

table! {
    "allocator.allocate" "0rIiiI_r" allocator::allocate;
    "allocator.import" "0riIiirII_r" allocator::import;
    "allocator.select" "0iiICrID_rI" allocator::select;
    "buffer.allocation.discard" "0r_i" buffer::allocation_discard;
    "buffer.allocation.is_terminal" "0r_i" buffer::allocation_is_terminal;
    "buffer.allocation.preserve" "0r_v" buffer::allocation_preserve;
    "buffer.assert" "0rrrIii_v" buffer::assert, ahead;
    "buffer.length" "0r_I" buffer::length, ahead;
    "buffer.load" "0rIi_i" buffer::load;
    "buffer.store" "0irIi_v" buffer::store;
    "buffer.subspan" "0rII_r" buffer::subspan, ahead;
    "buffer_view.assert" "0rriiCID_v" buffer_view::assert, ahead;
    "buffer_view.buffer" "0r_r" buffer_view::buffer, ahead;
    "buffer_view.create" "0rIIiiCID_r" buffer_view::create, ahead;
    "buffer_view.dim" "0ri_I" buffer_view::dim, ahead;
    "buffer_view.element_type" "0r_i" buffer_view::element_type, ahead;
    "buffer_view.encoding_type" "0r_i" buffer_view::encoding_type, ahead;
    "buffer_view.rank" "0r_i" buffer_view::rank, ahead;
    "buffer_view.trace" "0rCrD_v" buffer_view::trace;
    "channel.create" "0rIIrrii_r" channel::create;
    "channel.create" "0rIirrii_r" channel::create_v2;
    "channel.rank_and_count" "0r_ii" channel::rank_and_count;
    "channel.split" "0riiI_r" channel::split;
    "channel.split" "0riii_r" channel::split;
    "command_buffer.advise_buffer" "0rrIIIi_v" command_buffer::advise_buffer, ahead;
    "command_buffer.begin_debug_group" "0rr_v" command_buffer::begin_debug_group, ahead;
    "command_buffer.collective" "0rriiiirrIIIII_v" command_buffer::collective, ahead;
    "command_buffer.collective" "0rriirIIrIII_v" command_buffer::collective_v2, ahead;
    "command_buffer.copy_buffer" "0riirIrIII_v" command_buffer::copy_buffer, ahead;
    "command_buffer.copy_buffer" "0rrIrII_v" command_buffer::copy_buffer_v2, ahead;
    "command_buffer.create" "0riiIi_r" command_buffer::create, ahead;
    "command_buffer.create" "0riii_r" command_buffer::create_v2, ahead;
    "command_buffer.dispatch" "0rrIiiiICiDCiirIID_v" command_buffer::dispatch, ahead;
    "command_buffer.dispatch" "0rriiii_v" command_buffer::dispatch_v2, ahead;
    "command_buffer.dispatch.indirect" "0rrIirIICiDCiirIID_v" command_buffer::dispatch_indirect, ahead;
    "command_buffer.dispatch.indirect" "0rrirI_v" command_buffer::dispatch_indirect_v2, ahead;
    "command_buffer.end_debug_group" "0r_v" command_buffer::end_debug_group, ahead;
    "command_buffer.execute.commands" "0rrCrIID_v" command_buffer::execute_commands, ahead;
    "command_buffer.execution_barrier" "0riiI_v" command_buffer::execution_barrier, ahead;
    "command_buffer.execution_barrier" "0riii_v" command_buffer::execution_barrier_v2, ahead;
    "command_buffer.fill_buffer" "0rrIIiIiI_v" command_buffer::fill_buffer, ahead;
    "command_buffer.fill_buffer" "0rrIIii_v" command_buffer::fill_buffer_v2, ahead;
    "command_buffer.finalize" "0r_v" command_buffer::finalize, ahead;
    "command_buffer.flush_buffer" "0rirII_v" command_buffer::make_visible, ahead;
    "command_buffer.invalidate_buffer" "0rirII_v" command_buffer::make_visible, ahead;
    "command_buffer.push_constants" "0rriCiD_v" command_buffer::push_constants, ahead;
    "command_buffer.push_descriptor_set" "0rriCiirIID_v" command_buffer::push_descriptor_set, ahead;
    "command_buffer.update_buffer" "0rrIrIIiI_v" command_buffer::update_buffer, ahead;
    "descriptor_set_layout.create" "0riCiiiD_r" executable::descriptor_set_layout_create;
    "device.allocator" "0r_r" device::allocator, ahead;
    "device.query.i64" "0rrr_iI" device::query_i64, ahead;
    "device.queue.alloca" "0rIrrIiiII_r" queue::alloca, ahead;
    "device.queue.alloca" "0rIrriiiI_r" queue::alloca_v2, ahead;
    "device.queue.barrier" "0rIrrI_v" queue::barrier, ahead;
    "device.queue.copy" "0rIrrrIrIII_v" queue::copy, ahead;
    "device.queue.dealloca" "0rIrrrI_v" queue::dealloca, ahead;
    "device.queue.dealloca" "0rIrrr_v" queue::dealloca, ahead;
    "device.queue.execute" "0rIrrrI_v" queue::execute, ahead;
    "device.queue.execute" "0rIrrCrD_v" queue::execute_v2, ahead;
    "device.queue.execute.indirect" "0rIrrrICrIID_v" queue::execute_indirect, ahead;
    "device.queue.fill" "0rIrrrIIIiI_v" queue::fill, ahead;
    "device.queue.flush" "0rI_v" queue::flush, ahead;
    "device.queue.read" "0rIrrrIrIII_v" queue::read;
    "device.queue.read" "0rIrrrIrIIi_v" queue::read;
    "device.queue.update" "0rIrrrIrIII_v" queue::update, ahead;
    "device.queue.write" "0rIrrrIrIII_v" queue::write;
    "device.queue.write" "0rIrrrIrIIi_v" queue::write;
    "devices.count" "0v_i" device::count, ahead;
    "devices.get" "0i_r" device::get, ahead;
    "ex.file.from_memory" "0rIirIIi_r" queue::file_from_memory;
    "executable.create" "0rIrrr_r" executable::create;
    "executable.create" "0rrrrCrD_r" executable::create_v2;
    "executable.lookup.function" "0rr_I" executable::lookup_function, ahead;
    "fence.await" "0iICrD_i" fence::r#await, ahead;
    "fence.await" "0iCrD_i" fence::await_v2, ahead;
    "fence.create" "0rI_r" fence::create, ahead;
    "fence.create" "0ri_r" fence::create, ahead;
    "fence.fail" "0ri_v" fence::fail;
    "fence.join" "0ICrD_r" fence::join, ahead;
    "fence.join" "0CrD_r" fence::join_v2, ahead;
    "fence.query" "0r_i" fence::query;
    "fence.signal" "0r_v" fence::signal;
    "pipeline_layout.create" "0riCrD_r" executable::pipeline_layout_create;
}
