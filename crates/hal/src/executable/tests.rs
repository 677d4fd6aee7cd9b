//! Loading device code, and refusing to.

use hip::{DeviceAttribute, FaultPlan};

use super::*;
use crate::testing::{device_over, fail_every_call, null_device, null_device_with};
use crate::{
    DescriptorBinding, DescriptorSetLayout, Device, DeviceParams, ExecutableParams, StatusCode,
};

fn prepare(device: &Device, params: &ExecutableParams<'_>) -> Result<Executable> {
    device.create_executable_cache().prepare_fixture(params)
}

fn prepare_fixture(device: &Device, name: &str) -> Result<Executable> {
    prepare(device, &ExecutableParams::new(&fixtures::read(name)))
}

fn refused(device: &Device, data: &[u8]) -> Status {
    prepare(device, &ExecutableParams::new(data)).unwrap_err()
}

fn layout(constants: usize, bindings: u32) -> PipelineLayout {
    layout_with(constants, &vec![0; bindings as usize])
}

fn layout_with(constants: usize, flags: &[u32]) -> PipelineLayout {
    let bindings: Vec<_> = (0..)
        .zip(flags)
        .map(|(binding, &flags)| DescriptorBinding {
            binding,
            descriptor_type: 7,
            flags,
        })
        .collect();
    let set = DescriptorSetLayout::new(&bindings).unwrap();
    PipelineLayout::new(constants, &[set]).unwrap()
}

/// A device over a provider that fails one call by name.
fn failing(call: &str, index: u64, code: Code) -> (Device, FaultPlan) {
    let plan = FaultPlan::fail_named(call, index, code);
    let api = hip::faulty(hip::null(), &plan);
    (device_over(&api, DeviceParams::default()).unwrap(), plan)
}

#[test]
fn newer_containers_say_what_exports_take() {
    let executable = prepare_fixture(&null_device(), "gfx1100/executable_test.fb").unwrap();
    assert_eq!(executable.export_count(), 1);
    let export = executable.export(0).unwrap();
    let expected = ExportInfo {
        name: "export0",
        workgroup_size: [1, 1, 1],
        constant_count: 2,
        binding_count: 2,
    };
    assert_eq!(export.info(), expected);
    assert_eq!(export.binding_flags(), [1, 0]);
    assert_eq!(export.dynamic_lds_bytes(), 0);
    assert!(export.layout().is_none());
    let source = export.source().unwrap();
    assert!(source.file.ends_with("executable_test.mlir"), "{source:?}");
}

#[test]
fn parameters_stand_as_the_kernel_takes_them() {
    let executable = prepare_fixture(&null_device(), "gfx1100/executable_test.fb").unwrap();
    let parameters: Vec<_> = executable.exports()[0]
        .parameters()
        .iter()
        .map(|parameter| (parameter.kind, parameter.byte_offset, parameter.flags))
        .collect();
    let (constant, binding) = (ExportParameterKind::Constant, ExportParameterKind::Binding);
    assert_eq!(
        parameters,
        [
            (binding, 0, 1),
            (binding, 8, 0),
            (constant, 16, 0),
            (constant, 20, 0)
        ]
    );
}

#[test]
fn exports_are_found_by_ordinal_and_by_name() {
    let executable = prepare_fixture(&null_device(), "gfx1100/negate_and_double.fb").unwrap();
    assert_eq!(executable.export_count(), 2);
    assert_eq!(executable.lookup_export("double_it").unwrap(), 1);
    assert_eq!(executable.export(1).unwrap().name(), "double_it");
    for ordinal in [2, 100, -1, i32::MIN, i32::MAX] {
        let status = executable.export(ordinal).unwrap_err();
        assert_eq!(status.code(), StatusCode::OutOfRange, "{ordinal}");
    }
    let status = executable.lookup_export("triple_it").unwrap_err();
    assert_eq!(status.code(), StatusCode::NotFound);
    assert!(status.message().contains("negate, double_it"), "{status}");
}

#[test]
fn older_containers_take_their_counts_from_the_layouts() {
    let device = null_device();
    let data = fixtures::read("old_gfx1100/matmul_64.fb");
    let layouts = [layout(0, 3)];
    let params = ExecutableParams {
        pipeline_layouts: &layouts,
        ..ExecutableParams::new(&data)
    };
    let executable = prepare(&device, &params).unwrap();
    let export = executable.export(0).unwrap();
    assert_eq!(export.workgroup_size(), [8, 8, 1]);
    assert_eq!(export.dynamic_lds_bytes(), 5760);
    assert_eq!((export.constant_count(), export.binding_count()), (0, 3));
    assert_eq!(export.layout().unwrap().total_binding_count(), 3);
}

#[test]
fn older_containers_without_layouts_are_read_from_the_code() {
    let device = null_device();
    let executable = prepare_fixture(&device, "old_gfx1100/scale_and_offset.fb").unwrap();
    let export = executable.export(0).unwrap();
    assert_eq!((export.constant_count(), export.binding_count()), (2, 2));
    assert!(export.layout().is_none());
    // The null provider takes any code; PTX has no metadata but its text.
    let executable = prepare_fixture(&device, "old_sm_80/scale_and_offset.fb").unwrap();
    let export = executable.export(0).unwrap();
    assert_eq!((export.constant_count(), export.binding_count()), (2, 2));
}

#[test]
fn layouts_must_fit() {
    let device = null_device();
    let refuse = |name: &str, layouts: &[PipelineLayout]| {
        let data = fixtures::read(name);
        let params = ExecutableParams {
            pipeline_layouts: layouts,
            ..ExecutableParams::new(&data)
        };
        prepare(&device, &params).unwrap_err().code()
    };
    let old = "old_gfx1100/negate_and_double.fb";
    let one = layout(0, 2);
    assert_eq!(
        refuse(old, std::slice::from_ref(&one)),
        StatusCode::InvalidArgument
    );
    let three = [one.clone(), one.clone(), one.clone()];
    assert_eq!(refuse(old, &three), StatusCode::InvalidArgument);
    let new = "gfx1100/executable_test.fb";
    for layout in [layout(1, 2), layout(2, 1), layout(2, 3)] {
        assert_eq!(refuse(new, &[layout]), StatusCode::InvalidArgument);
    }
    let data = fixtures::read(new);
    let layouts = [layout(2, 2)];
    let params = ExecutableParams {
        pipeline_layouts: &layouts,
        ..ExecutableParams::new(&data)
    };
    let executable = prepare(&device, &params).unwrap();
    let export = executable.export(0).unwrap();
    assert_eq!(export.binding_flags(), [1, 0], "the container's");
    let data = fixtures::read(old);
    let layouts = [layout_with(0, &[1, 0]), layout(0, 2)];
    let params = ExecutableParams {
        pipeline_layouts: &layouts,
        ..ExecutableParams::new(&data)
    };
    let older = prepare(&device, &params).unwrap();
    let flags = |ordinal| older.export(ordinal).unwrap().binding_flags().to_vec();
    assert_eq!([flags(0), flags(1)], [[1, 0], [0, 0]], "the layouts'");
    assert!(export.layout().is_some());
}

#[test]
fn bare_code_objects_speak_for_themselves() {
    let device = null_device();
    let executable = prepare_fixture(&device, "gfx1100/matmul_4.hsaco").unwrap();
    let export = executable.export(0).unwrap();
    assert_eq!(export.workgroup_size(), [4, 4, 1]);
    assert_eq!((export.constant_count(), export.binding_count()), (0, 3));

    let executable = prepare_fixture(&device, "sm_80/faults.ptx").unwrap();
    let ordinal = executable.lookup_export("wait_for_flag").unwrap();
    let export = executable.export(ordinal).unwrap();
    assert_eq!((export.constant_count(), export.binding_count()), (0, 2));

    let executable = prepare_fixture(&device, "gfx1100/faults.hsaco").unwrap();
    let ordinal = executable.lookup_export("store_at").unwrap();
    let export = executable.export(ordinal).unwrap();
    assert_eq!((export.constant_count(), export.binding_count()), (2, 1));
    assert_eq!(export.workgroup_size(), [0, 0, 0], "up to the dispatch");
}

#[test]
fn formats_are_those_of_the_devices_family() {
    let device = null_device();
    let data = fixtures::read("gfx1100/abs.fb");
    for (format, known) in [
        ("rocm-hsaco-fb", true),
        ("HSACO", true),
        ("gfx1100", true),
        ("gfx942", false),
        ("rocm-hsaco", false),
        ("hip-hsaco-fb", false),
        ("FOO?", false),
        ("", false),
    ] {
        assert_eq!(
            device.create_executable_cache().can_prepare_format(format),
            known
        );
        let params = ExecutableParams {
            format: Some(format),
            ..ExecutableParams::new(&data)
        };
        match prepare(&device, &params) {
            Ok(_) => assert!(known, "{format}"),
            Err(status) => {
                assert!(!known, "{format}");
                assert_eq!(status.code(), StatusCode::Unimplemented);
                let known = "known formats: rocm-hsaco-fb, HSACO, gfx1100";
                assert!(status.message().contains(known), "{status}");
            }
        }
    }
}

#[test]
fn damaged_data_reaches_no_device() {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    let device = device_over(&api, DeviceParams::default()).unwrap();
    let calls = plan.calls();
    let whole = fixtures::read("gfx1100/abs.fb");
    let mut newer = whole.clone();
    newer[4] = 1;
    for (data, code) in [
        (&b""[..], StatusCode::OutOfRange),
        (b"not an executable", StatusCode::InvalidArgument),
        (&whole[..32], StatusCode::OutOfRange),
        (&whole[..whole.len() / 2], StatusCode::OutOfRange),
        (&newer, StatusCode::Incompatible),
    ] {
        let status = refused(&device, data);
        assert_eq!(status.code(), code, "{status:#}");
    }
    assert_eq!(plan.calls(), calls);
}

#[test]
fn a_workgroup_the_device_cannot_hold_is_refused_by_name() {
    for (attribute, value) in [
        (DeviceAttribute::MaxBlockDimX, 31),
        (DeviceAttribute::MaxBlockDimY, 7),
        (DeviceAttribute::MaxThreadsPerBlock, 255),
    ] {
        let device = null_device_with(attribute, value);
        let status = refused(&device, &fixtures::read("gfx1100/matmul_512.fb"));
        assert_eq!(status.code(), StatusCode::InvalidArgument);
        assert!(status.message().contains("matmul_512"), "{status}");
        assert!(status.message().contains("32 x 8 x 1"), "{status}");
    }
    for (attribute, value) in [
        (DeviceAttribute::MaxBlockDimX, 32),
        (DeviceAttribute::MaxThreadsPerBlock, 256),
    ] {
        let device = null_device_with(attribute, value);
        prepare_fixture(&device, "gfx1100/matmul_512.fb").unwrap();
    }
}

#[test]
fn group_memory_the_device_lacks_is_refused_by_name() {
    let attribute = DeviceAttribute::MaxSharedMemoryPerBlock;
    let device = null_device_with(attribute, 5759);
    let status = refused(&device, &fixtures::read("old_gfx1100/matmul_64.fb"));
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    assert!(status.message().contains("matmul_64"), "{status}");
    assert!(status.message().contains("needs 5760 bytes"), "{status}");
    let device = null_device_with(attribute, 5760);
    prepare_fixture(&device, "old_gfx1100/matmul_64.fb").unwrap();
}

#[test]
fn leave_for_group_memory_may_be_refused() {
    let (device, plan) = failing("hipFuncSetAttribute", 0, Code::INVALID_VALUE);
    prepare_fixture(&device, "old_gfx1100/matmul_64.fb").unwrap();
    assert_eq!(plan.fired(), Some("hipFuncSetAttribute"));
    // What needs none does not ask.
    prepare_fixture(&device, "gfx1100/matmul_64.fb").unwrap();
    assert_eq!(plan.calls_of("hipFuncSetAttribute"), 1);
}

#[test]
fn a_missing_kernel_is_named_and_the_code_unloaded() {
    for code in [Code::NOT_FOUND, Code::INVALID_VALUE] {
        let (device, plan) = failing("hipModuleGetFunction", 1, code);
        let status = refused(&device, &fixtures::read("gfx1100/negate_and_double.fb"));
        assert_eq!(status.code(), StatusCode::NotFound);
        assert!(status.message().contains("`double_it`"), "{status}");
        assert_eq!(plan.calls_of("hipModuleUnload"), 1);
    }
}

#[test]
fn code_for_another_chip_is_refused_with_both_names() {
    for code in [Code::NO_BINARY_FOR_GPU, Code::SHARED_OBJECT_INIT_FAILED] {
        let (device, _) = failing("hipModuleLoadDataEx", 0, code);
        let status = refused(&device, &fixtures::read("gfx942/abs.fb"));
        assert_eq!(status.code(), StatusCode::Incompatible);
        for chip in ["for gfx942", "is gfx1100", "--iree-rocm-target=gfx1100"] {
            assert!(status.message().contains(chip), "{status}");
        }
        assert!(format!("{status:#}").contains("hipModuleLoadDataEx"));
    }
    // For the right chip the provider's own code stays, with a hint.
    let (device, _) = failing("hipModuleLoadDataEx", 0, Code::NO_BINARY_FOR_GPU);
    let status = refused(&device, &fixtures::read("gfx1100/abs.fb"));
    assert_eq!(status.code(), StatusCode::Internal);
    assert!(status.message().contains("features"), "{status}");
    // And what is not about the code gets no hint.
    let (device, _) = failing("hipModuleLoadDataEx", 0, Code::OUT_OF_MEMORY);
    let status = refused(&device, &fixtures::read("gfx942/abs.fb"));
    assert_eq!(status.code(), StatusCode::ResourceExhausted);
}

#[test]
fn a_missing_global_is_not_found_and_other_failures_are_themselves() {
    let (device, plan) = failing("hipModuleGetGlobal", 1, Code::ILLEGAL_STATE);
    let executable = prepare_fixture(&device, "gfx1100/variables.hsaco").unwrap();
    let status = executable.lookup_global(&"x".repeat(4097)).unwrap_err();
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    assert_eq!(plan.calls_of("hipModuleGetGlobal"), 0);
    let status = executable.lookup_global("missing").unwrap_err();
    assert_eq!(status.code(), StatusCode::NotFound);
    assert!(status.message().contains("`missing`"));
    let status = executable.lookup_global("missing").unwrap_err();
    assert_eq!(status.code(), StatusCode::Internal);
}

#[test]
fn exports_keep_the_code_loaded() {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    let device = device_over(&api, DeviceParams::default()).unwrap();
    let executable = prepare_fixture(&device, "gfx1100/abs.fb").unwrap();
    let export = executable.exports()[0].clone();
    drop((executable, device));
    assert_eq!(plan.calls_of("hipModuleUnload"), 0);
    drop(export);
    assert_eq!(plan.calls_of("hipModuleUnload"), 1);
    assert_eq!(plan.live(), 0);
}

#[test]
fn loading_survives_every_fault() {
    for name in [
        "gfx1100/negate_and_double.fb",
        "gfx1100/matmul_4.hsaco",
        "old_gfx1100/scale_and_offset.fb",
    ] {
        let data = fixtures::read(name);
        fail_every_call(|api| {
            let device = device_over(api, DeviceParams::default())?;
            prepare(&device, &ExecutableParams::new(&data)).map(drop)
        });
    }
}
