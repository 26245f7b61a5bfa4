// Any bytes as a safetensors file: it is refused, or every tensor lies in it with its size.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "engine/convert/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hearth;
  try {
    for (const auto& [name, tensor] :
         parse_safetensors(std::as_bytes(std::span(data, size)), "fuzz")) {
      const std::uint64_t width = tensor.type == QuantType::F32 ? 4 : 2;
      HEARTH_CHECK(tensor.elements() * width == tensor.data.size());
      volatile unsigned sink = 0;
      for (const std::byte b : tensor.data) sink = sink + static_cast<unsigned>(b);
    }
  } catch (const Error&) {
  }
  return 0;
}
