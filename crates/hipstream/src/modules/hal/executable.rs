//! `executable.*`, and the layouts that executables of version 2 come with.

use hal::{
    DescriptorBinding, DescriptorSetLayout, Device, Executable, ExecutableParams, PipelineLayout,
};
use vm::{Call, Code, Error, Flow, Result, Value};

use super::{HalModule, text, to_error, types};

pub(super) fn create(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let device = call.object(&types::DEVICE)?;
    let _affinity = call.u64()?;
    let code = DeviceCode::read(call)?;
    let executable = code.prepare(device, &[])?;
    call.ret(types::EXECUTABLE.wrap(executable).into());
    Ok(Flow::Return)
}

pub(super) fn create_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let device = call.object(&types::DEVICE)?;
    let code = DeviceCode::read(call)?;
    let layouts = (0..call.group()?)
        .map(|_| call.object(&types::PIPELINE_LAYOUT).cloned())
        .collect::<Result<Vec<_>>>()?;
    let executable = code.prepare(device, &layouts)?;
    call.ret(types::EXECUTABLE.wrap(executable).into());
    Ok(Flow::Return)
}

/// The number that dispatches know an export by.
pub(super) fn lookup_function(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let executable = call.object(&types::EXECUTABLE)?;
    let name = text(call)?;
    let ordinal = executable.lookup_export(&name).map_err(to_error)?;
    call.ret(Value::I64(ordinal.into()));
    Ok(Flow::Return)
}

pub(super) fn descriptor_set_layout_create(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.object(&types::DEVICE)?;
    let _flags = call.i32()?;
    let bindings = (0..call.group()?)
        .map(|_| {
            Ok(DescriptorBinding {
                binding: call.u32()?,
                descriptor_type: call.u32()?,
                flags: call.u32()?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let layout = DescriptorSetLayout::new(&bindings).map_err(to_error)?;
    call.ret(types::DESCRIPTOR_SET_LAYOUT.wrap(layout).into());
    Ok(Flow::Return)
}

pub(super) fn pipeline_layout_create(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.object(&types::DEVICE)?;
    let constants = call.u32()? as usize;
    let sets = (0..call.group()?)
        .map(|_| call.object(&types::DESCRIPTOR_SET_LAYOUT).cloned())
        .collect::<Result<Vec<_>>>()?;
    let layout = PipelineLayout::new(constants, &sets).map_err(to_error)?;
    call.ret(types::PIPELINE_LAYOUT.wrap(layout).into());
    Ok(Flow::Return)
}

/// Device code as a program carries it.
struct DeviceCode<'a> {
    format: String,
    data: &'a vm::Buffer,
}

impl<'a> DeviceCode<'a> {
    /// The next three arguments: format, data, specialization constants.
    fn read(call: &mut Call<'a>) -> Result<Self> {
        let format = text(call)?;
        let data = call.object(&vm::types::BUFFER)?;
        let constants = call.optional(&vm::types::BUFFER)?;
        if constants.is_some_and(|constants| !constants.is_empty()) {
            return Err(Error::new(
                Code::UNIMPLEMENTED,
                format!("code of format `{format}` takes no specialization constants"),
            ));
        }
        Ok(Self { format, data })
    }

    fn prepare(&self, device: &Device, layouts: &[PipelineLayout]) -> Result<Executable> {
        let prepared = self.data.read(|data| {
            prepare(
                device,
                &ExecutableParams {
                    format: Some(&self.format),
                    data,
                    pipeline_layouts: layouts,
                },
            )
        });
        prepared.map_err(to_error)
    }
}

#[expect(
    unsafe_code,
    reason = "whoever made the module vouched for the programs that use it"
)]
fn prepare(device: &Device, params: &ExecutableParams<'_>) -> hal::Result<Executable> {
    let cache = device.create_executable_cache();
    // SAFETY: `HalModule::new` demands that programs linked with the module
    // have device code that can be trusted.
    unsafe { cache.prepare(params) }
}
