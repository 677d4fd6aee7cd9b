//! C structs and numbers of CUDA's driver interface on 64-bit machines, as
//! `cuda.h` lays them out, and the one table of numbers that HIP has otherwise.

use crate::{DeviceAttribute, DevicePtr, FunctionHandle};

const _: () = assert!(
    size_of::<usize>() == 8,
    "the names that end in _v2 are for 64-bit machines"
);

/// `CUDA_KERNEL_NODE_PARAMS_v1`.
#[repr(C)]
pub(super) struct KernelNodeParams {
    pub(super) function: FunctionHandle,
    pub(super) grid: [u32; 3],
    pub(super) block: [u32; 3],
    pub(super) shared_memory_bytes: u32,
    pub(super) kernel_params: *mut *mut std::ffi::c_void,
    pub(super) extra: *mut *mut std::ffi::c_void,
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<KernelNodeParams>() == 56);
    assert!(offset_of!(KernelNodeParams, function) == 0);
    assert!(offset_of!(KernelNodeParams, grid) == 8);
    assert!(offset_of!(KernelNodeParams, block) == 20);
    assert!(offset_of!(KernelNodeParams, shared_memory_bytes) == 32);
    assert!(offset_of!(KernelNodeParams, kernel_params) == 40);
    assert!(offset_of!(KernelNodeParams, extra) == 48);
};

/// `CUDA_MEMSET_NODE_PARAMS_v1`.
#[repr(C)]
pub(super) struct MemsetParams {
    pub(super) dst: DevicePtr,
    pub(super) pitch: usize,
    pub(super) value: u32,
    pub(super) element_bytes: u32,
    pub(super) width: usize,
    pub(super) height: usize,
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<MemsetParams>() == 40);
    assert!(offset_of!(MemsetParams, dst) == 0);
    assert!(offset_of!(MemsetParams, pitch) == 8);
    assert!(offset_of!(MemsetParams, value) == 16);
    assert!(offset_of!(MemsetParams, element_bytes) == 20);
    assert!(offset_of!(MemsetParams, width) == 24);
    assert!(offset_of!(MemsetParams, height) == 32);
};

/// One side of a [`Memcpy3D`].
#[repr(C)]
pub(super) struct Memcpy3DSide {
    pub(super) x_bytes: usize,
    pub(super) y: usize,
    pub(super) z: usize,
    pub(super) level: usize,
    pub(super) memory_type: u32,
    pub(super) host: u64,
    pub(super) device: DevicePtr,
    pub(super) array: u64,
    pub(super) reserved: u64,
    pub(super) pitch: usize,
    pub(super) height: usize,
}

/// `CUDA_MEMCPY3D_v2`.
#[repr(C)]
pub(super) struct Memcpy3D {
    pub(super) src: Memcpy3DSide,
    pub(super) dst: Memcpy3DSide,
    pub(super) width_bytes: usize,
    pub(super) height: usize,
    pub(super) depth: usize,
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<Memcpy3D>() == 200);
    assert!(offset_of!(Memcpy3D, src.memory_type) == 32);
    assert!(offset_of!(Memcpy3D, src.host) == 40);
    assert!(offset_of!(Memcpy3D, src.device) == 48);
    assert!(offset_of!(Memcpy3D, src.pitch) == 72);
    assert!(offset_of!(Memcpy3D, dst.x_bytes) == 88);
    assert!(offset_of!(Memcpy3D, dst.device) == 136);
    assert!(offset_of!(Memcpy3D, width_bytes) == 176);
};

/// `CUmemPoolProps`.
#[repr(C)]
pub(super) struct MemPoolProps {
    pub(super) allocation_type: u32,
    pub(super) handle_types: u32,
    pub(super) location_type: u32,
    pub(super) location_id: i32,
    pub(super) security_attributes: u64,
    /// 0 leaves it to the driver.
    pub(super) max_bytes: usize,
    pub(super) reserved: [u8; 56],
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<MemPoolProps>() == 88);
    assert!(offset_of!(MemPoolProps, location_type) == 8);
    assert!(offset_of!(MemPoolProps, location_id) == 12);
    assert!(offset_of!(MemPoolProps, security_attributes) == 16);
    assert!(offset_of!(MemPoolProps, max_bytes) == 24);
};

/// `CU_MEM_ALLOCATION_TYPE_PINNED`.
pub(super) const ALLOCATION_TYPE_PINNED: u32 = 1;
/// `CU_MEM_HANDLE_TYPE_NONE`.
pub(super) const HANDLE_TYPE_NONE: u32 = 0;
/// `CU_MEM_LOCATION_TYPE_DEVICE`.
pub(super) const LOCATION_TYPE_DEVICE: u32 = 1;
/// `CU_MEM_ATTACH_GLOBAL`.
pub(super) const MEM_ATTACH_GLOBAL: u32 = 1;
/// `CU_MEMORYTYPE_UNIFIED`: the address itself tells.
pub(super) const MEMORY_TYPE_UNIFIED: u32 = 4;
/// `CU_JIT_ERROR_LOG_BUFFER`.
pub(super) const JIT_ERROR_LOG_BUFFER: i32 = 5;
/// `CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES`.
pub(super) const JIT_ERROR_LOG_BUFFER_SIZE_BYTES: i32 = 6;
/// `CU_JIT_INPUT_PTX`.
pub(super) const JIT_INPUT_PTX: i32 = 1;
/// `CU_LAUNCH_PARAM_END`.
pub(super) const LAUNCH_PARAM_END: usize = 0;
/// `CU_LAUNCH_PARAM_BUFFER_POINTER`.
pub(super) const LAUNCH_PARAM_BUFFER_POINTER: usize = 1;
/// `CU_LAUNCH_PARAM_BUFFER_SIZE`.
pub(super) const LAUNCH_PARAM_BUFFER_SIZE: usize = 2;

macro_rules! attributes {
    ($($hip:ident = $number:literal $cuda:literal,)*) => {
        /// The `CUdevice_attribute` of a device attribute.
        pub(super) const fn device_attribute(attribute: DeviceAttribute) -> i32 {
            match attribute {
                $(DeviceAttribute::$hip => $number,)*
            }
        }

        /// Their C names, with the numbers, for the comparison with the header.
        #[cfg(test)]
        const DEVICE_ATTRIBUTES: &[(&str, i32)] = &[$(($cuda, $number),)*];
    };
}

attributes! {
    ClockRate = 13 "CLOCK_RATE",
    ConcurrentManagedAccess = 89 "CONCURRENT_MANAGED_ACCESS",
    Integrated = 18 "INTEGRATED",
    L2CacheSize = 38 "L2_CACHE_SIZE",
    ComputeCapabilityMajor = 75 "COMPUTE_CAPABILITY_MAJOR",
    ManagedMemory = 83 "MANAGED_MEMORY",
    MaxBlockDimX = 2 "MAX_BLOCK_DIM_X",
    MaxBlockDimY = 3 "MAX_BLOCK_DIM_Y",
    MaxBlockDimZ = 4 "MAX_BLOCK_DIM_Z",
    MaxGridDimX = 5 "MAX_GRID_DIM_X",
    MaxGridDimY = 6 "MAX_GRID_DIM_Y",
    MaxGridDimZ = 7 "MAX_GRID_DIM_Z",
    MaxThreadsPerBlock = 1 "MAX_THREADS_PER_BLOCK",
    MemoryClockRate = 36 "MEMORY_CLOCK_RATE",
    ComputeCapabilityMinor = 76 "COMPUTE_CAPABILITY_MINOR",
    MultiprocessorCount = 16 "MULTIPROCESSOR_COUNT",
    MaxRegistersPerBlock = 12 "MAX_REGISTERS_PER_BLOCK",
    // What a kernel may have when it asks, as `hal` does; without asking it is less.
    MaxSharedMemoryPerBlock = 97 "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN",
    TotalConstantMemory = 9 "TOTAL_CONSTANT_MEMORY",
    WarpSize = 10 "WARP_SIZE",
    MemoryPoolsSupported = 115 "MEMORY_POOLS_SUPPORTED",
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::nvidia::error;
    use crate::{EventFlags, FunctionAttribute, HostMallocFlags, MemPoolAttribute, StreamFlags};

    /// C expressions and what they must be.
    fn expectations() -> Vec<(String, i64)> {
        let mut rows: Vec<(String, i64)> = Vec::new();
        let mut expect = |expression: &str, value: i64| rows.push((expression.to_owned(), value));
        macro_rules! layout {
            ($rust:ty, $c:literal, { $($($field:ident).+ => $member:literal),* $(,)? }) => {
                expect(concat!("sizeof(", $c, ")"), size_of::<$rust>() as i64);
                $(expect(
                    concat!("offsetof(", $c, ", ", $member, ")"),
                    offset_of!($rust, $($field).+) as i64,
                );)*
            };
        }
        layout!(crate::Uuid, "CUuuid", {});
        layout!(DevicePtr, "CUdeviceptr", {});
        layout!(KernelNodeParams, "CUDA_KERNEL_NODE_PARAMS_v1", {
            function => "func", grid => "gridDimX", block => "blockDimX",
            shared_memory_bytes => "sharedMemBytes", kernel_params => "kernelParams",
            extra => "extra",
        });
        layout!(MemsetParams, "CUDA_MEMSET_NODE_PARAMS_v1", {
            dst => "dst", pitch => "pitch", value => "value", element_bytes => "elementSize",
            width => "width", height => "height",
        });
        layout!(Memcpy3D, "CUDA_MEMCPY3D_v2", {
            src.x_bytes => "srcXInBytes", src.y => "srcY", src.z => "srcZ", src.level => "srcLOD",
            src.memory_type => "srcMemoryType", src.host => "srcHost", src.device => "srcDevice",
            src.array => "srcArray", src.reserved => "reserved0", src.pitch => "srcPitch",
            src.height => "srcHeight",
            dst.x_bytes => "dstXInBytes", dst.y => "dstY", dst.z => "dstZ", dst.level => "dstLOD",
            dst.memory_type => "dstMemoryType", dst.host => "dstHost", dst.device => "dstDevice",
            dst.array => "dstArray", dst.reserved => "reserved1", dst.pitch => "dstPitch",
            dst.height => "dstHeight",
            width_bytes => "WidthInBytes", height => "Height", depth => "Depth",
        });
        layout!(MemPoolProps, "CUmemPoolProps", {
            allocation_type => "allocType", handle_types => "handleTypes",
            location_type => "location.type", location_id => "location.id",
            security_attributes => "win32SecurityAttributes", max_bytes => "maxSize",
        });
        for (expression, value) in [
            ("CU_MEM_ALLOCATION_TYPE_PINNED", ALLOCATION_TYPE_PINNED),
            ("CU_MEM_HANDLE_TYPE_NONE", HANDLE_TYPE_NONE),
            ("CU_MEM_LOCATION_TYPE_DEVICE", LOCATION_TYPE_DEVICE),
            ("CU_MEM_ATTACH_GLOBAL", MEM_ATTACH_GLOBAL),
            ("CU_MEMORYTYPE_UNIFIED", MEMORY_TYPE_UNIFIED),
            ("CU_STREAM_NON_BLOCKING", StreamFlags::NON_BLOCKING.0),
            ("CU_EVENT_BLOCKING_SYNC", EventFlags::BLOCKING_SYNC.0),
            ("CU_EVENT_DISABLE_TIMING", EventFlags::DISABLE_TIMING.0),
            ("CU_MEMHOSTALLOC_PORTABLE", HostMallocFlags::PORTABLE.0),
            ("CU_MEMHOSTALLOC_DEVICEMAP", HostMallocFlags::MAPPED.0),
            (
                "CU_MEMHOSTALLOC_WRITECOMBINED",
                HostMallocFlags::WRITE_COMBINED.0,
            ),
            ("CU_MEMHOSTREGISTER_PORTABLE", HostMallocFlags::PORTABLE.0),
            ("CU_MEMHOSTREGISTER_DEVICEMAP", HostMallocFlags::MAPPED.0),
        ] {
            expect(expression, value.into());
        }
        for (expression, value) in [
            ("CU_JIT_ERROR_LOG_BUFFER", JIT_ERROR_LOG_BUFFER),
            (
                "CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES",
                JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
            ),
            ("CU_JIT_INPUT_PTX", JIT_INPUT_PTX),
        ] {
            expect(expression, value.into());
        }
        for (expression, value) in [
            ("CU_LAUNCH_PARAM_END", LAUNCH_PARAM_END),
            (
                "CU_LAUNCH_PARAM_BUFFER_POINTER",
                LAUNCH_PARAM_BUFFER_POINTER,
            ),
            ("CU_LAUNCH_PARAM_BUFFER_SIZE", LAUNCH_PARAM_BUFFER_SIZE),
        ] {
            expect(&format!("(size_t){expression}"), value as i64);
        }
        rows.extend(enum_expectations());
        rows
    }

    fn enum_expectations() -> Vec<(String, i64)> {
        let mut rows = Vec::new();
        for (name, number) in DEVICE_ATTRIBUTES {
            rows.push((format!("CU_DEVICE_ATTRIBUTE_{name}"), i64::from(*number)));
        }
        for (name, attribute) in [
            ("RELEASE_THRESHOLD", MemPoolAttribute::ReleaseThreshold),
            ("RESERVED_MEM_CURRENT", MemPoolAttribute::ReservedMemCurrent),
            ("RESERVED_MEM_HIGH", MemPoolAttribute::ReservedMemHigh),
            ("USED_MEM_CURRENT", MemPoolAttribute::UsedMemCurrent),
            ("USED_MEM_HIGH", MemPoolAttribute::UsedMemHigh),
        ] {
            rows.push((format!("CU_MEMPOOL_ATTR_{name}"), attribute as i64));
        }
        for (name, attribute) in [
            (
                "MAX_THREADS_PER_BLOCK",
                FunctionAttribute::MaxThreadsPerBlock,
            ),
            ("SHARED_SIZE_BYTES", FunctionAttribute::SharedSizeBytes),
            (
                "MAX_DYNAMIC_SHARED_SIZE_BYTES",
                FunctionAttribute::MaxDynamicSharedSizeBytes,
            ),
        ] {
            rows.push((format!("CU_FUNC_ATTRIBUTE_{name}"), attribute as i64));
        }
        rows
    }

    /// The folder of `cuda.h`, where CUDA's toolkit or `CUDA_PATH` has one.
    fn header_folder() -> Option<PathBuf> {
        let roots = ["CUDA_PATH", "CUDA_HOME"].into_iter();
        let roots = roots.filter_map(std::env::var_os).map(PathBuf::from);
        let roots = roots.chain(["/usr/local/cuda".into(), "/usr".into()]);
        let mut folders = roots.map(|root| root.join("include"));
        folders.find(|folder| folder.join("cuda.h").is_file())
    }

    /// Values of C expressions, by the C compiler and the header.
    fn probe(include: &std::path::Path, expressions: &[String]) -> Result<Vec<i64>, String> {
        let folder = std::env::temp_dir().join(format!("cuda-abi-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let (source, binary) = (folder.join("probe.c"), folder.join("probe"));
        let mut text = String::from("#include <stddef.h>\n#include <stdio.h>\n#include <cuda.h>\n");
        text += "int main(void) {\n";
        for expression in expressions {
            text += &format!("printf(\"%lld\\n\", (long long)({expression}));\n");
        }
        text += "return 0; }\n";
        std::fs::write(&source, text).map_err(|error| error.to_string())?;
        let compiled = Command::new("cc")
            .args(["-w", "-o"])
            .args([&binary, &source])
            .arg("-I")
            .arg(include)
            .output()
            .map_err(|error| format!("cc: {error}"))?;
        let outcome = if compiled.status.success() {
            let run = Command::new(&binary).output();
            let run = run.map_err(|error| error.to_string())?;
            let lines = String::from_utf8_lossy(&run.stdout).into_owned();
            Ok(lines
                .lines()
                .map(|line| line.parse().expect("a number"))
                .collect())
        } else {
            Err(String::from_utf8_lossy(&compiled.stderr).into_owned())
        };
        drop(std::fs::remove_dir_all(&folder));
        outcome
    }

    #[test]
    fn layouts_and_numbers_are_those_of_the_header() {
        let Some(include) = header_folder() else {
            crate::amd::tests::skip("no cuda.h: set CUDA_PATH to a folder with include/cuda.h");
            return;
        };
        let expected = expectations();
        let expressions: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
        let values = probe(&include, &expressions).expect("all expressions compile");
        let found: Vec<_> = expressions.into_iter().zip(values).collect();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected);
        }
        let header = std::fs::read_to_string(include.join("cuda.h")).expect("just compiled");
        error::tests::check_header(&header);
    }

    #[test]
    fn every_attribute_has_a_number_of_its_own() {
        let mut numbers: Vec<_> = DeviceAttribute::ALL
            .iter()
            .map(|&attribute| device_attribute(attribute))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), DeviceAttribute::ALL.len());
    }
}
