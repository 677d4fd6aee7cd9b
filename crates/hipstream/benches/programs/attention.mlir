// Scaled dot-product attention of 8 heads over 256 positions.
#query = affine_map<(h, i, j, d) -> (h, i, d)>
#key = affine_map<(h, i, j, d) -> (h, j, d)>
#score = affine_map<(h, i, j, d) -> (h, i, j)>
#weight = affine_map<(h, i, d, j) -> (h, i, j)>
#value = affine_map<(h, i, d, j) -> (h, j, d)>
#context = affine_map<(h, i, d, j) -> (h, i, d)>
#same = affine_map<(h, i, j) -> (h, i, j)>

func.func @attention(%q: tensor<8x256x64xf32>, %k: tensor<8x256x64xf32>, %v: tensor<8x256x64xf32>) -> tensor<8x256x64xf32> {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.125 : f32
  %square = tensor.empty() : tensor<8x256x256xf32>
  %none = linalg.fill ins(%zero : f32) outs(%square : tensor<8x256x256xf32>) -> tensor<8x256x256xf32>
  %scores = linalg.generic {indexing_maps = [#query, #key, #score], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : tensor<8x256x64xf32>, tensor<8x256x64xf32>) outs(%none : tensor<8x256x256xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %product, %sum : f32
    linalg.yield %next : f32
  } -> tensor<8x256x256xf32>
  %scaled = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores : tensor<8x256x256xf32>) outs(%square : tensor<8x256x256xf32>) {
  ^bb0(%a: f32, %out: f32):
    %next = arith.mulf %a, %scale : f32
    linalg.yield %next : f32
  } -> tensor<8x256x256xf32>
  %weights = linalg.softmax dimension(2) ins(%scaled : tensor<8x256x256xf32>) outs(%square : tensor<8x256x256xf32>) -> tensor<8x256x256xf32>
  %empty = tensor.empty() : tensor<8x256x64xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x256x64xf32>) -> tensor<8x256x64xf32>
  %result = linalg.generic {indexing_maps = [#weight, #value, #context], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%weights, %v : tensor<8x256x256xf32>, tensor<8x256x64xf32>) outs(%start : tensor<8x256x64xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %product, %sum : f32
    linalg.yield %next : f32
  } -> tensor<8x256x64xf32>
  return %result : tensor<8x256x64xf32>
}
