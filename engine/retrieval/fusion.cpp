#include "engine/retrieval/fusion.h"

#include <map>

namespace hearth::retrieval {

std::vector<Scored> fuse(std::span<const std::vector<Scored>> rankings, std::size_t k) {
  constexpr double kConstant = 20.0;
  std::map<std::uint64_t, double> sums;
  for (const std::vector<Scored>& ranking : rankings) {
    double rank = 1.0;
    for (const Scored& one : ranking) sums[one.number] += 1.0 / (kConstant + rank++);
  }
  TopK best(k);
  for (const auto& [number, sum] : sums) best.add({static_cast<float>(sum), number});
  return best.sorted();
}

}  // namespace hearth::retrieval
