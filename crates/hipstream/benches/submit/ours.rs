//! Programs run by a session.

use std::time::Duration;

use bytes::Bytes;
use hal::{
    BufferParams, BufferRef, BufferView, CommandBufferMode, DeviceParams, ElementType, Encoding,
    Timeout, Timepoint,
};
use hipstream::device::{Options, open};
use hipstream::{Argument, Output, Session, Tensor};

use super::modules::Program;
use super::{Outcome, timed};

pub(crate) struct Ours {
    session: Session,
    arguments: [Argument<'static>; 2],
    program: &'static Program,
    is_checked: bool,
}

impl Ours {
    pub(crate) fn open(
        driver: &str,
        program: &'static Program,
        file: Vec<u8>,
        mode: CommandBufferMode,
    ) -> Outcome<Self> {
        let options = Options {
            params: DeviceParams {
                command_buffer_mode: mode,
                ..DeviceParams::default()
            },
            ..Options::default()
        };
        let device = open(driver, &options).map_err(text)?.device;
        let mut session = Session::builder().device(&device).build().map_err(text)?;
        // SAFETY: the program is written down in this benchmark.
        unsafe { session.load(Bytes::from(file)) }.map_err(text)?;
        let tensor = || -> hal::Result<Argument<'static>> {
            let allocator = device.allocator();
            let buffer = allocator.allocate(&BufferParams::device_local(), program.bytes())?;
            let done = [Timepoint::new(&device.create_semaphore(0)?, 1)];
            let pattern = program.value.to_le_bytes();
            device.queues()[0].fill(&[], &done, &BufferRef::whole(&buffer), &pattern)?;
            done[0].semaphore.wait(1, Timeout::Infinite)?;
            let (kind, encoding) = (ElementType::FLOAT_32, Encoding::DENSE_ROW_MAJOR);
            let view = BufferView::new(buffer, program.shape, kind, encoding)?;
            Ok(Argument::Tensor(Tensor::new(&device, view)))
        };
        let arguments = [tensor(), tensor()].map(|tensor| tensor.map_err(|it| format!("{it:#}")));
        let [first, second] = arguments;
        Ok(Self {
            arguments: [first?, second?],
            session,
            program,
            is_checked: false,
        })
    }

    /// A call until its result is ready.
    pub(crate) fn run(&mut self) -> Outcome<Duration> {
        let mut outputs = Vec::new();
        let time = timed(|| {
            let called = self.session.call(self.program.function, &self.arguments);
            outputs = called.map_err(text)?;
            Ok(())
        })?;
        if !std::mem::replace(&mut self.is_checked, true) {
            self.check(&outputs)?;
        }
        Ok(time)
    }

    /// A program that computes nonsense is fast for nothing.
    fn check(&self, outputs: &[Output]) -> Outcome<()> {
        let Some(expected) = self.program.result else {
            return Ok(());
        };
        let output = outputs.first().ok_or("the call has no result")?;
        let values: Vec<f32> = output.to_vec().map_err(text)?;
        let wrong = |value: &&f32| (**value - expected).abs() > 1e-3 * expected.abs();
        match values.iter().find(wrong) {
            Some(value) => Err(format!(
                "{} computes {value}, not {expected}",
                self.program.name
            )),
            None => Ok(()),
        }
    }
}

fn text(error: hipstream::Error) -> String {
    format!("{error:#}")
}
