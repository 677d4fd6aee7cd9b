//! Devices, queues, semaphores, buffers, executables and command buffers over HIP.
#![deny(unsafe_code)]
