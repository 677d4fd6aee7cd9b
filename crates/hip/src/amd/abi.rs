//! C structs of HIP on x86-64, as `hip_runtime_api.h` lays them out.

use std::ffi::c_void;

use crate::{DevicePtr, Dim3, FunctionHandle};

const _: () = assert!(
    size_of::<usize>() == 8,
    "HIP exists on 64-bit machines only"
);

/// `hipKernelNodeParams`.
#[repr(C)]
pub(crate) struct KernelNodeParams {
    pub(crate) block: Dim3,
    pub(crate) extra: *mut *mut c_void,
    pub(crate) function: FunctionHandle,
    pub(crate) grid: Dim3,
    pub(crate) kernel_params: *mut *mut c_void,
    pub(crate) shared_memory_bytes: u32,
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<KernelNodeParams>() == 64);
    assert!(offset_of!(KernelNodeParams, block) == 0);
    assert!(offset_of!(KernelNodeParams, extra) == 16);
    assert!(offset_of!(KernelNodeParams, function) == 24);
    assert!(offset_of!(KernelNodeParams, grid) == 32);
    assert!(offset_of!(KernelNodeParams, kernel_params) == 48);
    assert!(offset_of!(KernelNodeParams, shared_memory_bytes) == 56);
};

/// `hipMemsetParams`.
#[repr(C)]
pub(crate) struct MemsetParams {
    pub(crate) dst: DevicePtr,
    pub(crate) element_bytes: u32,
    pub(crate) height: usize,
    pub(crate) pitch: usize,
    pub(crate) value: u32,
    pub(crate) width: usize,
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<MemsetParams>() == 48);
    assert!(offset_of!(MemsetParams, dst) == 0);
    assert!(offset_of!(MemsetParams, element_bytes) == 8);
    assert!(offset_of!(MemsetParams, height) == 16);
    assert!(offset_of!(MemsetParams, pitch) == 24);
    assert!(offset_of!(MemsetParams, value) == 32);
    assert!(offset_of!(MemsetParams, width) == 40);
};

/// One side of a [`Memcpy3D`].
#[repr(C)]
pub(crate) struct Memcpy3DSide {
    pub(crate) x_bytes: usize,
    pub(crate) y: usize,
    pub(crate) z: usize,
    pub(crate) level: usize,
    pub(crate) memory_type: u32,
    pub(crate) host: u64,
    pub(crate) device: DevicePtr,
    pub(crate) array: u64,
    pub(crate) pitch: usize,
    pub(crate) height: usize,
}

/// `HIP_MEMCPY3D` of HIP 6 and later; before, the sizes had 32 bits.
#[repr(C)]
pub(crate) struct Memcpy3D {
    pub(crate) src: Memcpy3DSide,
    pub(crate) dst: Memcpy3DSide,
    pub(crate) width_bytes: usize,
    pub(crate) height: usize,
    pub(crate) depth: usize,
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<Memcpy3D>() == 184);
    assert!(offset_of!(Memcpy3D, src.x_bytes) == 0);
    assert!(offset_of!(Memcpy3D, src.memory_type) == 32);
    assert!(offset_of!(Memcpy3D, src.host) == 40);
    assert!(offset_of!(Memcpy3D, src.device) == 48);
    assert!(offset_of!(Memcpy3D, src.array) == 56);
    assert!(offset_of!(Memcpy3D, src.pitch) == 64);
    assert!(offset_of!(Memcpy3D, src.height) == 72);
    assert!(offset_of!(Memcpy3D, dst.x_bytes) == 80);
    assert!(offset_of!(Memcpy3D, dst.memory_type) == 112);
    assert!(offset_of!(Memcpy3D, dst.host) == 120);
    assert!(offset_of!(Memcpy3D, dst.device) == 128);
    assert!(offset_of!(Memcpy3D, dst.pitch) == 144);
    assert!(offset_of!(Memcpy3D, width_bytes) == 160);
    assert!(offset_of!(Memcpy3D, height) == 168);
    assert!(offset_of!(Memcpy3D, depth) == 176);
};

/// `hipMemPoolProps`.
#[repr(C)]
pub(crate) struct MemPoolProps {
    pub(crate) allocation_type: u32,
    pub(crate) handle_types: u32,
    pub(crate) location_type: u32,
    pub(crate) location_id: i32,
    pub(crate) security_attributes: u64,
    pub(crate) reserved: [u8; 64],
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<MemPoolProps>() == 88);
    assert!(offset_of!(MemPoolProps, allocation_type) == 0);
    assert!(offset_of!(MemPoolProps, handle_types) == 4);
    assert!(offset_of!(MemPoolProps, location_type) == 8);
    assert!(offset_of!(MemPoolProps, location_id) == 12);
};

/// `hipMemAllocationTypePinned`.
pub(crate) const ALLOCATION_TYPE_PINNED: u32 = 1;
/// `hipMemHandleTypeNone`.
pub(crate) const HANDLE_TYPE_NONE: u32 = 0;
/// `hipMemLocationTypeDevice`.
pub(crate) const LOCATION_TYPE_DEVICE: u32 = 1;
/// `hipMemAttachGlobal`.
pub(crate) const MEM_ATTACH_GLOBAL: u32 = 1;
/// `hipJitOptionErrorLogBuffer`.
pub(crate) const JIT_ERROR_LOG_BUFFER: i32 = 5;
/// `hipJitOptionErrorLogBufferSizeBytes`.
pub(crate) const JIT_ERROR_LOG_BUFFER_SIZE_BYTES: i32 = 6;
/// `HIP_LAUNCH_PARAM_BUFFER_POINTER`.
pub(crate) const LAUNCH_PARAM_BUFFER_POINTER: usize = 1;
/// `HIP_LAUNCH_PARAM_BUFFER_SIZE`.
pub(crate) const LAUNCH_PARAM_BUFFER_SIZE: usize = 2;
/// `HIP_LAUNCH_PARAM_END`.
pub(crate) const LAUNCH_PARAM_END: usize = 3;

/// Bytes of a buffer that holds `hipDeviceProp_t` in any layout so far
/// (792 and 1472 bytes), with room to grow.
pub(crate) const DEVICE_PROPERTIES_BYTES: usize = 8192;
/// Offset of `gcnArchName` in the layout of `hipGetDevicePropertiesR0000`.
pub(crate) const GCN_ARCH_NAME_R0000: usize = 396;
/// Offset of `gcnArchName` in the layout of `hipGetDevicePropertiesR0600`.
pub(crate) const GCN_ARCH_NAME_R0600: usize = 1160;
/// Bytes of `gcnArchName`, in both.
pub(crate) const GCN_ARCH_NAME_BYTES: usize = 256;

/// `hipMemoryTypeHost` in a library of this major version; HIP 6 renumbered it.
pub(crate) const fn memory_type_host(major: i32) -> u32 {
    if major >= 6 { 1 } else { 0 }
}

/// `hipMemoryTypeDevice` in a library of this major version.
pub(crate) const fn memory_type_device(major: i32) -> u32 {
    if major >= 6 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;
    use std::process::Command;

    use super::*;
    use crate::{
        Code, DeviceAttribute, EventFlags, FunctionAttribute, HostMallocFlags, MemPoolAttribute,
        MemcpyKind, StreamFlags, error,
    };

    /// C expressions and what they must be, for headers of this major version.
    fn expectations(major: i32) -> Vec<(String, i64)> {
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
        layout!(Dim3, "dim3", { x => "x", y => "y", z => "z" });
        layout!(crate::Uuid, "hipUUID", {});
        layout!(KernelNodeParams, "hipKernelNodeParams", {
            block => "blockDim", extra => "extra", function => "func", grid => "gridDim",
            kernel_params => "kernelParams", shared_memory_bytes => "sharedMemBytes",
        });
        layout!(MemsetParams, "hipMemsetParams", {
            dst => "dst", element_bytes => "elementSize", height => "height", pitch => "pitch",
            value => "value", width => "width",
        });
        if major >= 6 {
            layout!(Memcpy3D, "HIP_MEMCPY3D", {
                src.x_bytes => "srcXInBytes", src.y => "srcY", src.z => "srcZ", src.level => "srcLOD",
                src.memory_type => "srcMemoryType", src.host => "srcHost", src.device => "srcDevice",
                src.array => "srcArray", src.pitch => "srcPitch", src.height => "srcHeight",
                dst.x_bytes => "dstXInBytes", dst.y => "dstY", dst.z => "dstZ", dst.level => "dstLOD",
                dst.memory_type => "dstMemoryType", dst.host => "dstHost", dst.device => "dstDevice",
                dst.array => "dstArray", dst.pitch => "dstPitch", dst.height => "dstHeight",
                width_bytes => "WidthInBytes", height => "Height", depth => "Depth",
            });
        }
        layout!(MemPoolProps, "hipMemPoolProps", {
            allocation_type => "allocType", handle_types => "handleTypes",
            location_type => "location.type", location_id => "location.id",
            security_attributes => "win32SecurityAttributes", reserved => "reserved",
        });
        expect("hipMemAllocationTypePinned", ALLOCATION_TYPE_PINNED.into());
        expect("hipMemHandleTypeNone", HANDLE_TYPE_NONE.into());
        expect("hipMemLocationTypeDevice", LOCATION_TYPE_DEVICE.into());
        expect("hipMemAttachGlobal", MEM_ATTACH_GLOBAL.into());
        expect("hipMemoryTypeHost", memory_type_host(major).into());
        expect("hipMemoryTypeDevice", memory_type_device(major).into());
        expect(
            "(size_t)HIP_LAUNCH_PARAM_BUFFER_POINTER",
            LAUNCH_PARAM_BUFFER_POINTER as i64,
        );
        expect(
            "(size_t)HIP_LAUNCH_PARAM_BUFFER_SIZE",
            LAUNCH_PARAM_BUFFER_SIZE as i64,
        );
        expect("(size_t)HIP_LAUNCH_PARAM_END", LAUNCH_PARAM_END as i64);
        // C programs get the newer layout under the plain name from HIP 6 on.
        let arch_name = if major >= 6 {
            GCN_ARCH_NAME_R0600
        } else {
            GCN_ARCH_NAME_R0000
        };
        expect("offsetof(hipDeviceProp_t, gcnArchName)", arch_name as i64);
        expect(
            "sizeof(((hipDeviceProp_t*)0)->gcnArchName)",
            GCN_ARCH_NAME_BYTES as i64,
        );
        expect("sizeof(hipDeviceProp_t) < 8192", 1);
        expect("hipStreamNonBlocking", StreamFlags::NON_BLOCKING.0.into());
        expect("hipEventBlockingSync", EventFlags::BLOCKING_SYNC.0.into());
        expect("hipEventDisableTiming", EventFlags::DISABLE_TIMING.0.into());
        expect("hipHostMallocPortable", HostMallocFlags::PORTABLE.0.into());
        expect("hipHostMallocMapped", HostMallocFlags::MAPPED.0.into());
        expect(
            "hipHostMallocWriteCombined",
            HostMallocFlags::WRITE_COMBINED.0.into(),
        );
        expect(
            "hipHostRegisterPortable",
            HostMallocFlags::PORTABLE.0.into(),
        );
        expect("hipHostRegisterMapped", HostMallocFlags::MAPPED.0.into());
        rows.extend(enum_expectations(major));
        rows
    }

    fn enum_expectations(major: i32) -> Vec<(String, i64)> {
        let mut rows = Vec::new();
        for attribute in DeviceAttribute::ALL {
            let name = match attribute {
                DeviceAttribute::MemoryPoolsSupported if major < 6 => continue,
                other => format!("hipDeviceAttribute{other:?}"),
            };
            rows.push((name, *attribute as i64));
        }
        for kind in MemcpyKind::ALL {
            rows.push((format!("hipMemcpy{kind:?}"), *kind as i64));
        }
        for attribute in MemPoolAttribute::ALL {
            rows.push((format!("hipMemPoolAttr{attribute:?}"), *attribute as i64));
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
            rows.push((format!("HIP_FUNC_ATTRIBUTE_{name}"), attribute as i64));
        }
        for (number, name) in error::NAMES {
            let name = match *name {
                "Success" => "hipSuccess".to_owned(),
                other => format!("hipError{other}"),
            };
            rows.push((name, i64::from(Code::from_number(*number).number())));
        }
        rows
    }

    /// Values of C expressions, by the C compiler and the installed headers.
    fn probe(expressions: &[String]) -> std::result::Result<Vec<i64>, String> {
        let folder = std::env::temp_dir().join(format!("hip-abi-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let (source, binary) = (folder.join("probe.c"), folder.join("probe"));
        let mut text = String::from(
            "#include <stddef.h>\n#include <stdio.h>\n#include <hip/hip_runtime_api.h>\n\
             int main(void) {\n",
        );
        for expression in expressions {
            text += &format!("printf(\"%lld\\n\", (long long)({expression}));\n");
        }
        text += "return 0; }\n";
        std::fs::write(&source, text).map_err(|error| error.to_string())?;
        let compiled = Command::new("cc")
            .args(["-D__HIP_PLATFORM_AMD__", "-w", "-o"])
            .args([&binary, &source])
            .output()
            .map_err(|error| format!("cc: {error}"))?;
        let outcome = if compiled.status.success() {
            let run = Command::new(&binary)
                .output()
                .map_err(|error| error.to_string())?;
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
        let version = match probe(&["HIP_VERSION_MAJOR".to_owned()]) {
            Ok(values) => values[0],
            Err(reason) => {
                let first = reason.lines().next().unwrap_or_default().to_owned();
                crate::amd::tests::skip(&format!("no usable C compiler and HIP header: {first}"));
                return;
            }
        };
        let expected = expectations(i32::try_from(version).expect("a small number"));
        let expressions: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
        let values = probe(&expressions).expect("all expressions compile");
        let found: Vec<_> = expressions.into_iter().zip(values).collect();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "HIP {version}");
        }
    }
}
