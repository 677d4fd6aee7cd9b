//! `fence.*`: points in time that programs wait for and reach.

use std::time::{Duration, Instant};

use hal::{Fence, Semaphore, Status};
use vm::{Call, Code, Error, Flow, Ref, Result, Value};

use super::status::status_code;
use super::{HalModule, to_error, types};

/// What a wait that ran out of time returns.
const TIMED_OUT: i32 = Code::DEADLINE_EXCEEDED.0 as i32;

/// No timeout, in milliseconds.
const FOREVER: u32 = u32::MAX;

pub(super) fn create(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.object(&types::DEVICE)?;
    let semaphore = Semaphore::new(0).map_err(to_error)?;
    call.ret(types::FENCE.wrap(Fence::at(&semaphore, 1)).into());
    Ok(Flow::Return)
}

pub(super) fn join(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let _flags = call.i64()?;
    join_v2(module, call)
}

/// All points of all fences; null if there are none.
pub(super) fn join_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let mut joined = Joined::default();
    for _ in 0..call.group()? {
        if let Some((reference, fence)) = next_fence(call)?
            && !fence.is_empty()
        {
            joined.add(reference, fence);
        }
    }
    call.ret(Value::Ref(joined.into_ref()));
    Ok(Flow::Return)
}

/// 0 if it is reached, the code of its failure, or that of what comes later.
pub(super) fn query(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let code = match call.optional(&types::FENCE)?.map(Fence::query) {
        None | Some(Ok(true)) => 0,
        Some(Ok(false)) => Code::DEFERRED.0,
        Some(Err(status)) => status.code().number(),
    };
    call.ret(Value::I32(code.cast_signed()));
    Ok(Flow::Return)
}

pub(super) fn signal(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    if let Some(fence) = call.optional(&types::FENCE)? {
        fence.signal().map_err(to_error)?;
    }
    Ok(Flow::Return)
}

pub(super) fn fail(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let fence = call.optional(&types::FENCE)?;
    let code = call.u32()?;
    if code == 0 {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            "a fence cannot fail with success",
        ));
    }
    if let Some(fence) = fence {
        let message = "the program failed the fence";
        fence.fail(&Status::new(status_code(Code(code)), message));
    }
    Ok(Flow::Return)
}

pub(super) fn r#await(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let timeout = call.u32()?;
    let _flags = call.i64()?;
    wait(call, timeout)
}

pub(super) fn await_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let timeout = call.u32()?;
    wait(call, timeout)
}

/// Looks whether all fences are reached, and asks to be called again if not.
/// Nothing sleeps here, and nobody has to: work goes on by itself, and
/// whoever waits for a fence is woken when it is done.
fn wait(call: &mut Call<'_>, timeout: u32) -> Result<Flow> {
    let earlier = call.deadline();
    // Whoever drives the program looks at the device when it waits for the
    // fence. Only one that came back early, or will not wait, has to here.
    let must_look = earlier.is_some() || timeout == 0;
    let mut pending = Joined::default();
    for _ in 0..call.group()? {
        let Some((reference, fence)) = next_fence(call)? else {
            continue;
        };
        let is_reached =
            fence.peek().map_err(to_error)? || (must_look && fence.query().map_err(to_error)?);
        if !is_reached {
            pending.add(reference, fence);
        }
    }
    let Some(on) = pending.into_ref() else {
        call.ret(Value::I32(0));
        return Ok(Flow::Return);
    };
    let deadline = match earlier {
        Some(deadline) => deadline,
        None if timeout == FOREVER => None,
        None => Instant::now().checked_add(Duration::from_millis(timeout.into())),
    };
    let is_over = timeout == 0 || deadline.is_some_and(|deadline| deadline <= Instant::now());
    if is_over {
        call.ret(Value::I32(TIMED_OUT));
        return Ok(Flow::Return);
    }
    Ok(Flow::Wait { on, deadline })
}

/// The next argument, a fence, also as a reference to it.
fn next_fence<'a>(call: &mut Call<'a>) -> Result<Option<(&'a Ref, &'a Fence)>> {
    let Some(reference) = call.reference()? else {
        return Ok(None);
    };
    let fence = types::FENCE.of(reference).ok_or_else(|| {
        Error::new(
            Code::INVALID_ARGUMENT,
            format!("a {} where a hal.fence is needed", reference.kind().name()),
        )
    })?;
    Ok(Some((reference, fence)))
}

/// Fences taken together; one alone is itself.
#[derive(Default)]
enum Joined<'a> {
    #[default]
    None,
    One(&'a Ref, &'a Fence),
    Many(Vec<&'a Fence>),
}

impl<'a> Joined<'a> {
    fn add(&mut self, reference: &'a Ref, fence: &'a Fence) {
        match self {
            Self::None => *self = Self::One(reference, fence),
            Self::One(_, first) => *self = Self::Many(vec![*first, fence]),
            Self::Many(fences) => fences.push(fence),
        }
    }

    fn into_ref(self) -> Option<Ref> {
        match self {
            Self::None => None,
            Self::One(reference, _) => Some(reference.clone()),
            Self::Many(fences) => Some(types::FENCE.wrap(Fence::join(fences))),
        }
    }
}
