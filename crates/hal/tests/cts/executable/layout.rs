//! Descriptor set layouts and pipeline layouts.

use hal::{DescriptorBinding, DescriptorSetLayout, PipelineLayout, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::refused;

pub(crate) const CASES: &[Case] = cases![Device:
    set_with_no_bindings,
    set_with_one_binding,
    set_with_two_bindings,
    pipeline_with_no_layouts,
    pipeline_with_push_constants,
    pipeline_with_one_layout,
    pipeline_with_two_layouts,
    limits,
];

fn set(bindings: u32) -> hal::Result<DescriptorSetLayout> {
    let bindings: Vec<_> = (0..bindings)
        .map(|binding| DescriptorBinding {
            binding,
            descriptor_type: 7,
            flags: 0,
        })
        .collect();
    DescriptorSetLayout::new(&bindings)
}

fn set_with_no_bindings(_: &Fixture) -> Outcome {
    assert_eq!(set(0)?.binding_count(), 0);
    Ok(())
}

fn set_with_one_binding(_: &Fixture) -> Outcome {
    assert_eq!(set(1)?.binding_count(), 1);
    Ok(())
}

fn set_with_two_bindings(_: &Fixture) -> Outcome {
    assert_eq!(set(2)?.binding_count(), 2);
    Ok(())
}

fn pipeline_with_no_layouts(_: &Fixture) -> Outcome {
    let layout = PipelineLayout::new(0, &[])?;
    assert_eq!(layout.total_binding_count(), 0);
    Ok(())
}

fn pipeline_with_push_constants(_: &Fixture) -> Outcome {
    assert_eq!(PipelineLayout::new(5, &[])?.push_constant_count(), 5);
    Ok(())
}

fn pipeline_with_one_layout(_: &Fixture) -> Outcome {
    let layout = PipelineLayout::new(0, &[set(2)?])?;
    assert_eq!(layout.total_binding_count(), 2);
    Ok(())
}

fn pipeline_with_two_layouts(_: &Fixture) -> Outcome {
    let layout = PipelineLayout::new(0, &[set(2)?, set(3)?])?;
    assert_eq!(layout.total_binding_count(), 5);
    assert_eq!(layout.base_index(1), Some(2));
    Ok(())
}

/// As much as there can be, and one more of each.
fn limits(_: &Fixture) -> Outcome {
    let most = set(16)?;
    refused(set(17), StatusCode::InvalidArgument);
    let sets = [most.clone(), most.clone(), most.clone(), most];
    assert_eq!(PipelineLayout::new(64, &sets)?.total_binding_count(), 64);
    let constants = PipelineLayout::new(65, &[]);
    refused(constants, StatusCode::InvalidArgument);
    let sets = (0..5).map(|_| set(1)).collect::<Result<Vec<_>, _>>()?;
    let layouts = PipelineLayout::new(0, &sets);
    refused(layouts, StatusCode::InvalidArgument);
    Ok(())
}
