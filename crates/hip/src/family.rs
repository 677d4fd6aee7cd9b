//! Families of devices that programs are compiled for: one table.

/// What programs ask a device for, and the code they bring for it. A row of
/// the table; providers say which one theirs is.
#[derive(Debug, PartialEq, Eq)]
pub struct DeviceFamily {
    /// What programs call such a device when they ask for one by name, the
    /// usual name first.
    pub device_ids: &'static [&'static str],
    /// Names of the formats its executables come in, the compiler's own first.
    pub formats: &'static [&'static str],
    /// Whether a chip's own name is a format too, that of executables for it.
    pub has_chip_formats: bool,
    /// The option by which the compiler is told the chip.
    pub chip_option: &'static str,
}

impl DeviceFamily {
    /// AMD GPUs through HIP, real or in software.
    pub const HIP: &'static Self = &Self {
        device_ids: &["hip", "amdgpu"],
        formats: &["rocm-hsaco-fb", "HSACO"],
        has_chip_formats: true,
        chip_option: "--iree-rocm-target",
    };

    /// NVIDIA GPUs.
    pub const CUDA: &'static Self = &Self {
        device_ids: &["cuda"],
        formats: &["cuda-nvptx-fb", "PTXE"],
        has_chip_formats: false,
        chip_option: "--iree-cuda-target",
    };
}
