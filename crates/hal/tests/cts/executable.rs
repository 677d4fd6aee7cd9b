//! Loaded device code and what it says about itself.

pub(crate) mod cache;
pub(crate) mod layout;

use hal::{ExecutableParams, ExportParameterKind, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::words;

pub(crate) const CASES: &[Case] = cases![Device:
    export_count,
    export_info,
    export_info_out_of_range,
    export_parameters,
    export_parameters_out_of_range,
    lookup_export_by_name,
    lookup_export_by_name_not_found,
    lookup_global_by_name,
    lookup_global_by_name_not_found,
];

fn export_count(fixture: &Fixture) -> Outcome {
    assert_eq!(fixture.executable("executable_test")?.export_count(), 1);
    assert_eq!(fixture.executable("negate_and_double")?.export_count(), 2);
    Ok(())
}

fn export_info(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("executable_test")?;
    let info = executable.export(0)?.info();
    assert_eq!(info.name, "export0");
    assert_eq!((info.constant_count, info.binding_count), (2, 2));
    assert!(info.workgroup_size.iter().all(|&size| size > 0));
    Ok(())
}

fn export_info_out_of_range(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("executable_test")?;
    for ordinal in [1, 100, -1] {
        let status = executable.export(ordinal).expect_err("an export");
        assert_eq!(status.code(), StatusCode::OutOfRange);
    }
    Ok(())
}

fn export_parameters(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("executable_test")?;
    let parameters = executable.export(0)?.parameters();
    let kinds: Vec<_> = parameters.iter().map(|parameter| parameter.kind).collect();
    let (constant, binding) = (ExportParameterKind::Constant, ExportParameterKind::Binding);
    assert_eq!(kinds, [binding, binding, constant, constant]);
    Ok(())
}

fn export_parameters_out_of_range(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("executable_test")?;
    let parameters = executable.export(7).map(hal::Export::parameters);
    let status = parameters.expect_err("parameters");
    assert_eq!(status.code(), StatusCode::OutOfRange);
    Ok(())
}

fn lookup_export_by_name(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("negate_and_double")?;
    assert_eq!(executable.lookup_export("negate")?, 0);
    assert_eq!(executable.lookup_export("double_it")?, 1);
    Ok(())
}

fn lookup_export_by_name_not_found(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("executable_test")?;
    let status = executable.lookup_export("missing").expect_err("an export");
    assert_eq!(status.code(), StatusCode::NotFound);
    Ok(())
}

/// The kernel adds two variables, which it finds by a table of addresses.
fn lookup_global_by_name(fixture: &Fixture) -> Outcome {
    fixture.require_computing()?;
    let image = fixture.code("variables")?;
    let executable = fixture.prepare(&ExecutableParams::new(&image))?;
    let sum = fixture.buffer(4, 0)?;
    let dispatch = || {
        fixture.execute(|commands| {
            let bindings = [commands.whole(&sum)];
            commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings)?;
            Ok(())
        })
    };
    dispatch()?;
    fixture.expect(&sum, &words([42]))?;
    let first = executable.lookup_global("first")?;
    assert_eq!(first.byte_length(), 4);
    fixture.expect(&first, &words([40]))?;
    fixture.upload(&first, &words([100]))?;
    dispatch()?;
    fixture.expect(&sum, &words([102]))?;
    // The variable keeps the code loaded.
    drop(executable);
    fixture.expect(&first, &words([100]))
}

fn lookup_global_by_name_not_found(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("executable_test")?;
    let status = executable.lookup_global("missing").expect_err("a global");
    assert_eq!(status.code(), StatusCode::NotFound);
    Ok(())
}
