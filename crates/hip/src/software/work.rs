//! What the GPU is asked to do: launches, copies, fills.

use amdgpu::{Fault, FaultKind, Gpu, Kernel, Launch};

use super::module::Function;
use crate::{Code, DevicePtr, Dim3, Error, LaunchConfig, Result};

/// One piece of work for the GPU.
#[derive(Clone)]
pub(super) enum Work {
    Launch {
        function: Function,
        config: LaunchConfig,
        kernarg: Bytes,
    },
    Copy {
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
    },
    Fill {
        dst: DevicePtr,
        value: u32,
        /// 1, 2 or 4.
        element_bytes: u32,
        count: u64,
    },
}

/// Bytes, without an allocation if they are few: most kernels have few arguments.
#[derive(Clone)]
pub(super) enum Bytes {
    Few(u8, [u8; Self::FEW]),
    Many(Box<[u8]>),
}

impl Bytes {
    const FEW: usize = 128;

    pub(super) fn new(bytes: &[u8]) -> Self {
        if bytes.len() > Self::FEW {
            return Self::Many(bytes.into());
        }
        let mut few = [0; Self::FEW];
        few[..bytes.len()].copy_from_slice(bytes);
        Self::Few(bytes.len() as u8, few)
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Few(length, bytes) => &bytes[..usize::from(*length)],
            Self::Many(bytes) => bytes,
        }
    }
}

impl Work {
    /// A launch, checked as HIP checks it before it is submitted.
    pub(super) fn launch(
        gpu: &Gpu,
        function: Function,
        config: &LaunchConfig,
        kernarg: &[u8],
        call: &'static str,
    ) -> Result<Self> {
        let kernel = &function.kernel;
        check_launch(gpu, kernel, config, kernarg).map_err(|(code, problem)| {
            Error::with_detail(code, call, format!("kernel `{}`: {problem}", kernel.name()))
        })?;
        // The compiler drops arguments that nothing uses from the end, launches do not.
        let taken = kernel.explicit_kernarg_bytes() as usize;
        Ok(Self::Launch {
            function,
            config: *config,
            kernarg: Bytes::new(&kernarg[..taken]),
        })
    }

    /// A fill, its value cut to the element.
    pub(super) fn fill(
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
        call: &'static str,
    ) -> Result<Self> {
        let problem = if !matches!(element_bytes, 1 | 2 | 4) {
            format!("an element of {element_bytes} bytes is not 1, 2 or 4")
        } else if !dst.0.is_multiple_of(element_bytes.into()) {
            format!("{dst:?} is not a multiple of the element's {element_bytes} bytes")
        } else {
            return Ok(Self::Fill {
                dst,
                value,
                element_bytes,
                count,
            });
        };
        Err(Error::with_detail(Code::INVALID_VALUE, call, problem))
    }

    pub(super) fn run(&self, gpu: &Gpu) -> Result<()> {
        match self {
            Self::Launch {
                function,
                config,
                kernarg,
            } => {
                let launch = Launch {
                    kernel: &function.kernel,
                    grid: array(config.grid),
                    block: array(config.block),
                    dynamic_lds_bytes: config.shared_memory_bytes,
                    kernarg: kernarg.as_slice(),
                    bindings: function.bindings.as_deref(),
                };
                gpu.run(&launch).map_err(|fault| fault_error(&fault))?;
                Ok(())
            }
            Self::Copy { dst, src, bytes } => gpu
                .memory()
                .copy(dst.0, src.0, *bytes)
                .map_err(|fault| illegal_address("hipMemcpyAsync", fault.to_string())),
            Self::Fill {
                dst,
                value,
                element_bytes,
                count,
            } => {
                let pattern = value.to_le_bytes();
                gpu.memory()
                    .fill(dst.0, &pattern[..*element_bytes as usize], *count)
                    .map_err(|fault| illegal_address("hipMemsetAsync", fault.to_string()))
            }
        }
    }
}

fn array(dim: Dim3) -> [u32; 3] {
    [dim.x, dim.y, dim.z]
}

fn illegal_address(call: &'static str, detail: String) -> Error {
    Error::with_detail(Code::ILLEGAL_ADDRESS, call, detail)
}

fn check_launch(
    gpu: &Gpu,
    kernel: &Kernel,
    config: &LaunchConfig,
    kernarg: &[u8],
) -> std::result::Result<(), (Code, String)> {
    let (grid, block) = (array(config.grid), array(config.block));
    let shape = || format!("grid {grid:?} x block {block:?}");
    let configuration = |problem: String| Err((Code::INVALID_CONFIGURATION, problem));
    if grid.contains(&0) || block.contains(&0) {
        return configuration(format!("{} has a size of zero", shape()));
    }
    let threads = block.iter().map(|size| u64::from(*size)).product::<u64>();
    let most = gpu
        .arch()
        .max_workgroup_size()
        .min(kernel.max_workgroup_size());
    if threads > u64::from(most) {
        let problem = format!(
            "{} has {threads} threads a block, at most {most} fit",
            shape()
        );
        return configuration(problem);
    }
    if let Some(required) = kernel.required_workgroup_size()
        && required != block
    {
        return configuration(format!("block {block:?} given, compiled for {required:?}"));
    }
    let too_large =
        |axis: usize| u64::from(grid[axis]) * u64::from(block[axis]) > u64::from(u32::MAX);
    if (0..3).any(too_large) {
        return configuration(format!(
            "{} has 2^32 threads or more along an axis",
            shape()
        ));
    }
    let lds = u64::from(kernel.lds_bytes()) + u64::from(config.shared_memory_bytes);
    let most = gpu.arch().max_lds_bytes();
    if lds > u64::from(most) {
        let problem = format!("needs {lds} bytes of LDS, a workgroup has {most}");
        return Err((Code::INVALID_VALUE, problem));
    }
    let least = kernel.explicit_kernarg_bytes();
    if kernarg.len() < least as usize {
        let given = kernarg.len();
        let problem = format!("{given} bytes of arguments given, it takes {least}");
        return Err((Code::INVALID_VALUE, problem));
    }
    Ok(())
}

/// A failed launch as the HIP error that comes closest.
fn fault_error(fault: &Fault) -> Error {
    let code = match fault.kind {
        FaultKind::OutOfBounds | FaultKind::UseAfterFree | FaultKind::ReadOnly => {
            Code::ILLEGAL_ADDRESS
        }
        FaultKind::InstructionBudget => Code::LAUNCH_TIME_OUT,
        FaultKind::InvalidLaunch => Code::INVALID_CONFIGURATION,
        FaultKind::OutOfMemory => Code::OUT_OF_MEMORY,
        _ => Code::LAUNCH_FAILURE,
    };
    Error::with_detail(code, "hipModuleLaunchKernel", fault.to_string())
}
