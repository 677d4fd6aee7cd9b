// Convolution of a picture with 3 x 3 windows, NHWC by HWCF.
func.func @conv2d(%image: tensor<1x66x66x32xf32>, %filter: tensor<3x3x32x64xf32>) -> tensor<1x64x64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x64x64x64xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x64x64x64xf32>) -> tensor<1x64x64x64xf32>
  %result = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%image, %filter : tensor<1x66x66x32xf32>, tensor<3x3x32x64xf32>)
      outs(%start : tensor<1x64x64x64xf32>) -> tensor<1x64x64x64xf32>
  return %result : tensor<1x64x64x64xf32>
}
