// x * sigmoid(x) * y, as in gated networks.
#all = affine_map<(i) -> (i)>

func.func @elementwise(%x: tensor<1048576xf32>, %y: tensor<1048576xf32>) -> tensor<1048576xf32> {
  %one = arith.constant 1.0 : f32
  %empty = tensor.empty() : tensor<1048576xf32>
  %result = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<1048576xf32>, tensor<1048576xf32>) outs(%empty : tensor<1048576xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %minus = arith.negf %a : f32
    %power = math.exp %minus : f32
    %below = arith.addf %one, %power : f32
    %gate = arith.divf %a, %below : f32
    %value = arith.mulf %gate, %b : f32
    linalg.yield %value : f32
  } -> tensor<1048576xf32>
  return %result : tensor<1048576xf32>
}
