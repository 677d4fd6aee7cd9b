//! `fence.*`: points in time that programs wait for and reach.

use std::time::{Duration, Instant};

use hal::{Fence, Semaphore, Status};
use vm::{Call, Code, Error, Flow, Ref, Result, Value};

use super::status::status_code;
use super::{HalModule, to_error, types};

/// What a wait that ran out of time returns.
const TIMED_OUT: i32 = Code::DEADLINE_EXCEEDED.0 as i32;

/// Most memory that a program may allocate while it runs ahead of the device.
const AHEAD_BYTES: u64 = 64 << 20;

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

pub(super) fn r#await(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let timeout = call.u32()?;
    let _flags = call.i64()?;
    wait(module, call, timeout)
}

pub(super) fn await_v2(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let timeout = call.u32()?;
    wait(module, call, timeout)
}

/// Looks whether all fences are reached, and asks to be called again if not.
/// Nothing sleeps here, and nobody has to: work goes on by itself, and
/// whoever waits for a fence is woken when it is done.
///
/// If all that is missing was submitted, the program need not stand still for
/// it either: it can submit more while the device is at work.
fn wait(module: &mut HalModule, call: &mut Call<'_>, timeout: u32) -> Result<Flow> {
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
    if deadline.is_none() && module.may_run_ahead(call, &on) {
        call.ret(Value::I32(0));
        return Ok(Flow::Ahead { on });
    }
    Ok(Flow::Wait { on, deadline })
}

impl HalModule {
    /// Whether the caller may go on behind a wait: what it waits for was
    /// submitted, so that later work comes behind it, and not too much memory
    /// is held by work that would otherwise be over.
    fn may_run_ahead(&mut self, call: &Call<'_>, on: &Ref) -> bool {
        if !call.may_run_ahead() || !types::FENCE.of(on).is_some_and(Fence::is_promised) {
            return false;
        }
        let devices = self.devices.iter().filter_map(|it| types::DEVICE.of(it));
        let allocated = devices.map(|device| device.allocator().bytes_allocated());
        let allocated = allocated.sum();
        // Nothing is owed, or it was just waited for: a new run begins.
        if call.owed().is_none() || call.deadline().is_some() {
            self.ahead_since = allocated;
        }
        allocated - self.ahead_since <= AHEAD_BYTES
    }

    /// Whether a fence that somebody went on behind is reached.
    pub(super) fn is_reached(on: &Ref, has_waited: bool) -> Result<bool> {
        let fence = types::FENCE.of(on).ok_or_else(|| {
            let kind = on.kind().name();
            Error::new(Code::INTERNAL, format!("nobody waits for a {kind}"))
        })?;
        // Whoever waited has looked at the device, unless it gave up early.
        let is_reached = fence.peek().map_err(to_error)?;
        Ok(is_reached || has_waited && fence.query().map_err(to_error)?)
    }
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
