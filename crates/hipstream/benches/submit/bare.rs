//! What the driver itself costs: the kernels of the programs launched by hand,
//! with nothing between but the table of the driver's functions.

use std::sync::Arc;

use hip::{
    Api, Context, Device, DeviceMemory, Event, Function, Graph, GraphNode, LaunchConfig, MemPool,
    MemcpyKind, Module, OpenOptions, Stream,
};
use vmfb::archive::Archive;
use vmfb::executable::Executable;

use super::modules::Program;
use super::{Outcome, Run, median, say, timed};

pub(crate) struct Bare {
    context: Context,
    name: String,
    chip: String,
}

impl Bare {
    pub(crate) fn open(driver: &str) -> Outcome<Self> {
        let provider: Arc<dyn Api> =
            hip::open(driver, &OpenOptions::default()).map_err(|error| error.to_string())?;
        provider.init().map_err(text)?;
        let devices = Device::enumerate(&provider).map_err(text)?;
        let device = devices.first().ok_or("there is no device")?;
        Ok(Self {
            context: Context::new(device).map_err(text)?,
            name: device.name().map_err(text)?,
            chip: device.arch().map_err(text)?,
        })
    }

    pub(crate) fn description(&self) -> String {
        format!("on {}, {}", self.name, self.chip)
    }

    /// What programs are compiled for: one target does for all chips whose
    /// driver compiles what it loads.
    pub(crate) fn chip_target(&self) -> &str {
        match self.chip.starts_with("sm_") {
            true => "sm_80",
            false => self.chip.split(':').next().unwrap_or_default(),
        }
    }

    /// What single calls cost the host, and how waits compare.
    pub(crate) fn report_calls(&self) -> Outcome<()> {
        let stream = Stream::new(&self.context).map_err(text)?;
        let event = Event::new(&self.context).map_err(text)?;
        let memory = DeviceMemory::new(&self.context, 1 << 20).map_err(text)?;
        let pool = MemPool::new(&self.context, u64::MAX).map_err(text)?;
        let ptr = memory.device_ptr();
        let fill = || stream.issue()?.fill_u32(ptr, 0, 16);
        say("\ncalls of the driver, host time:");
        let figure = |name: &str, run: &dyn Fn() -> hip::Result<()>| -> Outcome<()> {
            let mut times = Vec::new();
            for _ in 0..200 {
                times.push(timed(|| run().map_err(text))?);
                stream.synchronize().map_err(text)?;
            }
            say(&format!("{name:<44}{:>9.2} us", median(&mut times)));
            Ok(())
        };
        figure("make the context current", &|| stream.issue().map(drop))?;
        figure("fill of 64 bytes", &fill)?;
        figure("record an event", &|| stream.issue()?.record(&event))?;
        figure("look at an event that has passed", &|| {
            event.query().map(drop)
        })?;
        figure("look at an idle stream", &|| stream.query().map(drop))?;
        figure("allocate from a pool and free", &|| {
            let issue = stream.issue()?;
            let block = pool.allocate(&issue, 4096)?;
            block.free(&issue).map_err(|(_, error)| error)
        })?;
        figure("fill, synchronize the stream", &|| {
            fill()?;
            stream.synchronize()
        })?;
        figure("fill, record an event, sleep on it", &|| {
            fill()?;
            stream.issue()?.record(&event)?;
            event.synchronize()
        })?;
        figure("fill, record an event, look until it passes", &|| {
            fill()?;
            stream.issue()?.record(&event)?;
            while !event.query()? {}
            Ok(())
        })?;
        figure("fill, look until the stream is idle", &|| {
            fill()?;
            while !stream.query()? {}
            Ok(())
        })
    }

    /// The kernels of the program one by one on a stream, and as a graph; what
    /// only moves memory beside a copy of as many bytes.
    pub(crate) fn sides(
        &self,
        program: &'static Program,
        module: &[u8],
    ) -> Outcome<Vec<(&'static str, Run)>> {
        if program.grid[0] == 0 {
            return Ok(vec![(
                "copy bandwidth",
                self.copies(program.bytes_moved())?,
            )]);
        }
        let kernel = Arc::new(Kernel::load(&self.context, program, module)?);
        let stream = Arc::new(Stream::new(&self.context).map_err(text)?);
        let count = program.dispatches;
        let on_stream: Run = {
            let (kernel, stream) = (kernel.clone(), stream.clone());
            Box::new(move || {
                timed(|| {
                    let issue = stream.issue().map_err(text)?;
                    for _ in 0..count {
                        issue
                            .launch(&kernel.function, &kernel.config, &kernel.arguments)
                            .map_err(text)?;
                    }
                    stream.synchronize().map_err(text)
                })
            })
        };
        let graph = kernel.graph(&self.context, count).map_err(text)?;
        let as_graph: Run = Box::new(move || {
            timed(|| {
                let launched = stream.issue().and_then(|issue| issue.launch_graph(&graph));
                launched.and_then(|()| stream.synchronize()).map_err(text)
            })
        });
        Ok(vec![("bare stream", on_stream), ("bare graph", as_graph)])
    }

    /// A copy inside of the device that moves `bytes`, half of them each way.
    fn copies(&self, bytes: u64) -> Outcome<Run> {
        let half = bytes / 2;
        let memory = [(); 2].map(|()| DeviceMemory::new(&self.context, half));
        let [from, to] = memory.map(|memory| memory.map_err(text));
        let (from, to) = (from?, to?);
        let stream = Stream::new(&self.context).map_err(text)?;
        Ok(Box::new(move || {
            timed(|| {
                let issue = stream.issue().map_err(text)?;
                let kind = MemcpyKind::DeviceToDevice;
                issue
                    .copy(to.device_ptr(), from.device_ptr(), half, kind)
                    .map_err(text)?;
                stream.synchronize().map_err(text)
            })
        }))
    }
}

/// The first kernel of a program, with arguments for it.
struct Kernel {
    function: Function,
    config: LaunchConfig,
    arguments: Vec<u8>,
    #[expect(dead_code, reason = "the arguments lead to it")]
    memory: DeviceMemory,
}

impl Kernel {
    fn load(context: &Context, program: &Program, file: &[u8]) -> Outcome<Self> {
        let archive = Archive::parse(file).map_err(|error| error.to_string())?;
        let entry = archive.executables.first().ok_or("it has no executable")?;
        let executable =
            Executable::parse(&file[entry.range.clone()]).map_err(|error| error.to_string())?;
        let export = &executable.exports[0];
        // SAFETY: the program is written down in this benchmark.
        let module = unsafe { Module::load(context, executable.image_of(export)) };
        let function = module
            .and_then(|module| module.function(export.name))
            .map_err(text)?;
        let bindings = export.bindings.as_ref().map_or(0, Vec::len) as u64;
        let bytes = program.bytes();
        let memory = DeviceMemory::new(context, bytes * bindings).map_err(text)?;
        let mut arguments = Vec::new();
        for binding in 0..bindings {
            let address = memory.device_ptr().offset(binding * bytes);
            arguments.extend(address.0.to_le_bytes());
        }
        let constants = export.constant_count.unwrap_or_default() as usize;
        arguments.resize(arguments.len() + 4 * constants, 0);
        Ok(Self {
            function,
            config: LaunchConfig {
                grid: program.grid.into(),
                block: export.workgroup_size.unwrap_or([1; 3]).into(),
                shared_memory_bytes: export.dynamic_lds_bytes,
            },
            arguments,
            memory,
        })
    }

    /// So many of it, each behind the one before.
    fn graph(&self, context: &Context, count: usize) -> hip::Result<hip::GraphExec> {
        let mut graph = Graph::new(context)?;
        let mut last: Option<GraphNode> = None;
        for _ in 0..count {
            let node = graph.add_kernel(
                last.as_slice(),
                &self.function,
                &self.config,
                &self.arguments,
            )?;
            last = Some(node);
        }
        graph.instantiate()
    }
}

fn text(error: hip::Error) -> String {
    error.to_string()
}
