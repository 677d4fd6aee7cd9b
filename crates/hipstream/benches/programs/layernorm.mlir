// Normalises each row to mean 0 and variance 1, then scales and shifts it.
#row = affine_map<(r, c) -> (r, c)>
#one = affine_map<(r, c) -> (r)>
#col = affine_map<(r, c) -> (c)>

func.func @layernorm(%x: tensor<1024x1024xf32>, %scale: tensor<1024xf32>, %shift: tensor<1024xf32>) -> tensor<1024x1024xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 1024.0 : f32
  %epsilon = arith.constant 1.0e-5 : f32
  %empty = tensor.empty() : tensor<1024xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<1024xf32>) -> tensor<1024xf32>
  %sums = linalg.generic {indexing_maps = [#row, #one], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<1024x1024xf32>) outs(%start : tensor<1024xf32>) {
  ^bb0(%v: f32, %sum: f32):
    %next = arith.addf %v, %sum : f32
    linalg.yield %next : f32
  } -> tensor<1024xf32>
  %squares = linalg.generic {indexing_maps = [#row, #one, #one], iterator_types = ["parallel", "reduction"]}
      ins(%x, %sums : tensor<1024x1024xf32>, tensor<1024xf32>) outs(%start : tensor<1024xf32>) {
  ^bb0(%v: f32, %s: f32, %sum: f32):
    %mean = arith.divf %s, %count : f32
    %centred = arith.subf %v, %mean : f32
    %square = arith.mulf %centred, %centred : f32
    %next = arith.addf %square, %sum : f32
    linalg.yield %next : f32
  } -> tensor<1024xf32>
  %whole = tensor.empty() : tensor<1024x1024xf32>
  %result = linalg.generic {indexing_maps = [#row, #one, #one, #col, #col, #row], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums, %squares, %scale, %shift
        : tensor<1024x1024xf32>, tensor<1024xf32>, tensor<1024xf32>, tensor<1024xf32>, tensor<1024xf32>)
      outs(%whole : tensor<1024x1024xf32>) {
  ^bb0(%v: f32, %s: f32, %q: f32, %a: f32, %b: f32, %out: f32):
    %mean = arith.divf %s, %count : f32
    %centred = arith.subf %v, %mean : f32
    %variance = arith.divf %q, %count : f32
    %safe = arith.addf %variance, %epsilon : f32
    %inverse = math.rsqrt %safe : f32
    %normal = arith.mulf %centred, %inverse : f32
    %scaled = arith.mulf %normal, %a : f32
    %value = arith.addf %scaled, %b : f32
    linalg.yield %value : f32
  } -> tensor<1024x1024xf32>
  return %result : tensor<1024x1024xf32>
}
