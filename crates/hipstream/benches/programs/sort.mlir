// Sorts each row, ascending.
func.func @sort(%rows: tensor<64x128xf32>) -> tensor<64x128xf32> {
  %sorted = "stablehlo.sort"(%rows) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %less = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %less : tensor<i1>
  }) {dimension = 1 : i64, is_stable = true} : (tensor<64x128xf32>) -> tensor<64x128xf32>
  return %sorted : tensor<64x128xf32>
}
