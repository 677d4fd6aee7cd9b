// Softmax of each row.
func.func @softmax(%a: tensor<512x1024xf32>) -> tensor<512x1024xf32> {
  %empty = tensor.empty() : tensor<512x1024xf32>
  %result = linalg.softmax dimension(1) ins(%a : tensor<512x1024xf32>) outs(%empty : tensor<512x1024xf32>) -> tensor<512x1024xf32>
  return %result : tensor<512x1024xf32>
}
