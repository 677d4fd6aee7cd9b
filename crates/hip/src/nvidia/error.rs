//! What CUDA's error codes are in HIP: a table of those that differ, or that
//! have more to say.

use crate::Code;

/// A `CUresult` that HIP has no code of the same number and meaning for, or
/// about which more can be said than its name.
pub(super) struct Row {
    /// The `CUresult`.
    pub(super) number: i32,
    /// Its name in `cuda.h`.
    pub(super) name: &'static str,
    /// The nearest code of HIP.
    pub(super) code: Code,
    /// What it means for the user, or nothing.
    pub(super) hint: &'static str,
}

/// What becomes of a `CUresult`, and its row if it has one. The numbers of HIP
/// were CUDA's: where HIP has a code of this number, it means the same.
pub(super) fn translate(number: i32) -> (Code, Option<&'static Row>) {
    match ROWS.binary_search_by_key(&number, |row| row.number) {
        Ok(index) => (ROWS[index].code, Some(&ROWS[index])),
        Err(_) => (Code::from_number(number), None),
    }
}

const LOST: &str = "the device's context is lost, and nothing more can run on it in this process";
const MPS: &str = "the service that shares the GPU among processes (MPS) does not answer";

macro_rules! rows {
    ($($number:literal $name:literal $code:ident $hint:expr;)*) => {
        /// In ascending order of number.
        const ROWS: &[Row] = &[$(Row {
            number: $number,
            name: concat!("CUDA_ERROR_", $name),
            code: Code::$code,
            hint: $hint,
        },)*];
    };
}

rows! {
    34 "STUB_LIBRARY" SHARED_OBJECT_INIT_FAILED
        "this library is the toolkit's stub, good for linking only; NVIDIA's driver has the real one";
    36 "CALL_REQUIRES_NEWER_DRIVER" INSUFFICIENT_DRIVER "the driver is too old for this call";
    46 "DEVICE_UNAVAILABLE" CONTEXT_ALREADY_IN_USE "another process has the GPU to itself";
    47 "MULTICAST_RESOURCE_FULL" NOT_SUPPORTED "";
    102 "DEVICE_NOT_LICENSED" INVALID_DEVICE "the virtual GPU has no licence";
    220 "NVLINK_UNCORRECTABLE" ECC_NOT_CORRECTABLE LOST;
    221 "JIT_COMPILER_NOT_FOUND" FILE_NOT_FOUND
        "libnvidia-ptxjitcompiler, a part of NVIDIA's driver, was not found";
    222 "UNSUPPORTED_PTX_VERSION" NO_BINARY_FOR_GPU
        "the code is in a newer PTX than the driver reads: update the driver, or compile with an older --iree-cuda-target-features=+ptxNN";
    223 "JIT_COMPILATION_DISABLED" NOT_SUPPORTED "the environment forbids it (CUDA_DISABLE_PTX_JIT)";
    224 "UNSUPPORTED_EXEC_AFFINITY" NOT_SUPPORTED "";
    225 "UNSUPPORTED_DEVSIDE_SYNC" NOT_SUPPORTED "";
    226 "CONTAINED" LAUNCH_FAILURE LOST;
    227 "INSUFFICIENT_LOADER_VERSION" INSUFFICIENT_DRIVER "";
    402 "LOSSY_QUERY" INVALID_VALUE "";
    700 "ILLEGAL_ADDRESS" ILLEGAL_ADDRESS LOST;
    703 "LAUNCH_INCOMPATIBLE_TEXTURING" LAUNCH_FAILURE "";
    710 "ASSERT" ASSERT LOST;
    711 "TOO_MANY_PEERS" PEER_ACCESS_UNSUPPORTED "the device has no room for another peer";
    714 "HARDWARE_STACK_ERROR" LAUNCH_FAILURE LOST;
    715 "ILLEGAL_INSTRUCTION" LAUNCH_FAILURE LOST;
    716 "MISALIGNED_ADDRESS" ILLEGAL_ADDRESS LOST;
    717 "INVALID_ADDRESS_SPACE" ILLEGAL_ADDRESS LOST;
    718 "INVALID_PC" LAUNCH_FAILURE LOST;
    719 "LAUNCH_FAILED" LAUNCH_FAILURE LOST;
    721 "TENSOR_MEMORY_LEAK" LAUNCH_FAILURE LOST;
    800 "NOT_PERMITTED" NOT_SUPPORTED "";
    802 "SYSTEM_NOT_READY" NOT_INITIALIZED
        "the driver or its fabric manager has not come up (yet): see `nvidia-smi`";
    803 "SYSTEM_DRIVER_MISMATCH" INSUFFICIENT_DRIVER
        "the kernel's driver and the library are of different versions: restart after an update";
    804 "COMPAT_NOT_SUPPORTED_ON_DEVICE" INSUFFICIENT_DRIVER
        "the library found is of the forward compatibility package, which this GPU does not support";
    805 "MPS_CONNECTION_FAILED" RUNTIME_OTHER MPS;
    806 "MPS_RPC_FAILURE" RUNTIME_OTHER MPS;
    807 "MPS_SERVER_NOT_READY" RUNTIME_OTHER MPS;
    808 "MPS_MAX_CLIENTS_REACHED" RUNTIME_OTHER "";
    809 "MPS_MAX_CONNECTIONS_REACHED" RUNTIME_OTHER "";
    810 "MPS_CLIENT_TERMINATED" RUNTIME_OTHER LOST;
    811 "CDP_NOT_SUPPORTED" NOT_SUPPORTED "";
    812 "CDP_VERSION_MISMATCH" NOT_SUPPORTED "";
    909 "TIMEOUT" LAUNCH_TIME_OUT "";
    911 "EXTERNAL_DEVICE" UNKNOWN "";
    912 "INVALID_CLUSTER_SIZE" INVALID_CONFIGURATION "";
    913 "FUNCTION_NOT_LOADED" NOT_FOUND "";
    914 "INVALID_RESOURCE_TYPE" INVALID_VALUE "";
    915 "INVALID_RESOURCE_CONFIGURATION" INVALID_VALUE "";
    916 "KEY_ROTATION" UNKNOWN "";
    917 "STREAM_DETACHED" INVALID_HANDLE "";
    918 "GRAPH_RECAPTURE_FAILURE" GRAPH_EXEC_UPDATE_FAILURE "";
    919 "FABRIC_NOT_READY" NOT_INITIALIZED "";
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Every code of the header is in the table, or is HIP's by number.
    pub(crate) fn check_header(header: &str) {
        let mut codes = BTreeMap::new();
        for line in header.lines() {
            let Some((name, number)) = line.trim().trim_end_matches(',').split_once('=') else {
                continue;
            };
            if let (true, Ok(number)) = (
                name.starts_with("CUDA_ERROR_"),
                number.trim().parse::<i32>(),
            ) {
                codes.insert(number, name.trim().to_owned());
            }
        }
        assert!(codes.len() > 80, "read {} codes", codes.len());
        for (number, name) in &codes {
            match translate(*number) {
                (_, Some(row)) => assert_eq!(row.name, name),
                (code, None) => assert!(code.name().is_some(), "{name} = {number} is in no table"),
            }
        }
        for row in ROWS {
            // The header at hand may be older than the table.
            let name = codes.get(&row.number).map_or(row.name, String::as_str);
            assert_eq!(name, row.name);
        }
    }

    #[test]
    fn rows_are_in_order_and_lead_to_codes_with_names() {
        assert!(ROWS.is_sorted_by(|a, b| a.number < b.number));
        for row in ROWS {
            assert!(row.code.name().is_some(), "{}", row.name);
            let same = row.code.number() == row.number;
            assert!(!same || !row.hint.is_empty(), "{} says nothing", row.name);
        }
    }

    #[test]
    fn codes_of_one_number_mean_the_same() {
        assert_eq!(translate(2).0, Code::OUT_OF_MEMORY);
        assert_eq!(translate(500).0, Code::NOT_FOUND);
        assert_eq!(translate(716).0, Code::ILLEGAL_ADDRESS);
        assert_eq!(translate(4711).0, Code::from_number(4711));
    }
}
