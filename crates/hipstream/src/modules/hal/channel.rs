//! `channel.*`: groups of participants in collective commands.

use hal::QueueAffinity;
use vm::{Call, Code, Error, Flow, Result, Value};

use super::{HalModule, to_error, types};

pub(super) fn create(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let device = call.object(&types::DEVICE)?;
    let affinity = QueueAffinity(call.u64()?);
    let _flags = call.i64()?;
    finish_create(device, affinity, call)
}

pub(super) fn create_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let device = call.object(&types::DEVICE)?;
    let affinity = QueueAffinity(call.u64()?);
    let _flags = call.i32()?;
    finish_create(device, affinity, call)
}

fn finish_create(
    device: &hal::Device,
    affinity: QueueAffinity,
    call: &mut Call<'_>,
) -> Result<Flow> {
    let _id = call.optional(&vm::types::BUFFER)?;
    let _group = call.optional(&vm::types::BUFFER)?;
    let (rank, count) = (call.i32()?, call.i32()?);
    let (Ok(rank), Ok(count)) = (u32::try_from(rank), u32::try_from(count)) else {
        return Err(Error::new(
            Code::UNAVAILABLE,
            "rank and count of a channel must be given: there is nobody to ask for them",
        ));
    };
    let channel = device
        .create_channel(affinity, rank, count)
        .map_err(to_error)?;
    call.ret(types::CHANNEL.wrap(channel).into());
    Ok(Flow::Return)
}

pub(super) fn split(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.object(&types::CHANNEL)?;
    Err(Error::new(
        Code::UNIMPLEMENTED,
        "channels are not split: collective commands need a communication library, and none is built in",
    ))
}

pub(super) fn rank_and_count(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let channel = call.object(&types::CHANNEL)?;
    call.ret(Value::I32(channel.rank().cast_signed()));
    call.ret(Value::I32(channel.count().cast_signed()));
    Ok(Flow::Return)
}
