//! Programs of both compiler generations with parameters, from files of every
//! format, on the software GPU.

use std::sync::Arc;
use std::time::Duration;

use hal::{
    BufferParams, BufferView, Device, DeviceParams, Driver, DriverOptions, ElementType, Encoding,
};
use hipstream::modules::hal::{HalModule, to_error, types};
use hipstream::modules::io_parameters::IoParametersModule;
use hipstream::parameters::{Mode, Set, Source};
use vm::{BytecodeModule, Code, Context, Invocation, Limits, Poll, Value};

const LONG: Duration = Duration::from_secs(60);
const GENERATIONS: [&str; 2] = ["gfx1100", "old_gfx1100"];

fn set(files: &[&str], mode: Mode) -> Set {
    let folder = fixtures::path("parameters");
    let sources: Vec<Source> = files
        .iter()
        .map(|file| {
            let (scope, file) = file.split_once('=').expect("with its scope");
            Source {
                scope: scope.to_owned(),
                path: folder.join(file),
            }
        })
        .collect();
    Set::open(&sources, mode).expect("sound files")
}

/// A program that was loaded, with the device it runs on.
struct Program {
    device: Device,
    context: Context,
    module: vm::ModuleId,
}

impl Program {
    fn load(generation: &str, parameters: Set) -> vm::Result<Self> {
        let device = Driver::open("software", DriverOptions::default())
            .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
            .map_err(to_error)?;
        let mut context = Context::new(Limits::default());
        // SAFETY: the program is ours, and the software GPU checks what it does.
        let hal = unsafe { HalModule::new(vec![device.clone()]) };
        context.register(Box::new(hal));
        context.register(Box::new(IoParametersModule::new(Arc::new(parameters))));
        let file = fixtures::read(format!("{generation}/parameters.vmfb"));
        let module = context.link(Arc::new(BytecodeModule::load(file.into())?))?;
        let mut program = Self {
            device,
            context,
            module,
        };
        let init = program.context.initializer(module).expect("it has globals");
        program.run(init, Vec::new())?;
        Ok(program)
    }

    fn run(&mut self, function: vm::Function, args: Vec<Value>) -> vm::Result<Vec<Value>> {
        let mut invocation = Invocation::new(&self.context, function, args)?;
        loop {
            match invocation.poll(&mut self.context, None) {
                Ok(Poll::Done(results)) => return Ok(results),
                Ok(Poll::Waiting { on, .. }) => {
                    let fence = types::FENCE.of(&on).expect("the program waits for a fence");
                    // If it fails, the program hears of it when it asks again.
                    let _ = fence.wait(LONG);
                }
                Ok(Poll::Yielded) => {}
                Err(trap) => return Err(trap.into_error()),
            }
        }
    }

    fn main(&mut self, input: [f32; 4]) -> [f32; 4] {
        let params = BufferParams::device_local();
        let buffer = self.device.allocator().allocate(&params, 16).expect("room");
        let bytes: Vec<u8> = input.iter().flat_map(|value| value.to_le_bytes()).collect();
        let written = self.device.write(&buffer, 0, &bytes).expect("room");
        written
            .semaphore
            .wait(written.value, LONG)
            .expect("written");
        let view = BufferView::new(
            buffer,
            &[4],
            ElementType::FLOAT_32,
            Encoding::DENSE_ROW_MAJOR,
        );
        let view = types::BUFFER_VIEW.wrap(view.expect("it fits"));
        let function = self.context.lookup(self.module, "main").expect("exported");
        let results = self.run(function, vec![view.into()]).expect("it runs");
        let [Value::Ref(Some(result))] = &results[..] else {
            panic!("{results:?}");
        };
        let view = types::BUFFER_VIEW.of(result).expect("a tensor");
        let mut bytes = [0; 16];
        self.device
            .read(view.buffer(), 0, &mut bytes)
            .expect("readable");
        std::array::from_fn(|index| {
            let bytes = bytes[4 * index..].first_chunk();
            f32::from_le_bytes(*bytes.expect("four of them"))
        })
    }
}

#[test]
fn programs_get_their_weights_from_every_format() {
    for generation in GENERATIONS {
        for file in [
            "model=model.irpa",
            "model=model.safetensors",
            "model=model.gguf",
        ] {
            for mode in [Mode::File, Mode::Preload] {
                let parameters = set(&[file, "=splats.irpa"], mode);
                let mut program = Program::load(generation, parameters).expect(generation);
                let name = format!("{generation}, {file}");
                // input × w + m + shift, kept in m.
                let first = program.main([1.0, 1.0, 1.0, 1.0]);
                assert_eq!(first, [101.5, 101.5, 111.0, 120.0], "{name}");
                let second = program.main([0.0, 1.0, 0.0, -1.0]);
                assert_eq!(second, [201.5, 203.5, 211.0, 216.0], "{name}");
            }
        }
    }
}

#[test]
fn programs_without_their_parameters_say_which_they_want() {
    for generation in GENERATIONS {
        for (files, message) in [
            (
                &["=splats.irpa"][..],
                "no provider registered that handles scopes like 'model'",
            ),
            (
                &["model=model.irpa"],
                "no provider registered that handles scopes like ''",
            ),
            (
                &["model=splats.irpa", "=splats.irpa"],
                "there is no parameter `w` in scope `model`, which has 4",
            ),
        ] {
            let result = Program::load(generation, set(files, Mode::File));
            let error = result.err().expect("it cannot start");
            assert_eq!(error.code(), Code::NOT_FOUND, "{error}");
            let mut chain = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                chain += &format!(": {error}");
                cause = error.source();
            }
            assert!(chain.contains(message), "{generation}: {chain}");
        }
    }
}
