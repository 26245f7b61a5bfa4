// The k best of many, in an order without ties: the higher score first, and of equal scores the
// lower number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth::retrieval {

struct Scored {
  float score;
  std::uint64_t number;

  bool operator==(const Scored&) const = default;
};

inline bool is_better(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.number < b.number;
}

class TopK {
 public:
  explicit TopK(std::size_t k) : k_(k) {}

  /// Whether add() would keep it. Cheap: ask before anything that costs.
  bool would_keep(const Scored& one) const {
    return k_ > 0 && (heap_.size() < k_ || is_better(one, heap_.front()));
  }

  /// The score that a newcomer with any number needs at least, once k are there.
  bool is_full() const { return heap_.size() == k_; }
  float lowest() const { return heap_.front().score; }

  void add(const Scored& one) {
    if (!would_keep(one)) return;
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end(), is_better);
      heap_.pop_back();
    }
    heap_.push_back(one);
    std::push_heap(heap_.begin(), heap_.end(), is_better);
  }

  void add(const TopK& others) {
    for (const Scored& one : others.heap_) add(one);
  }

  /// The best first.
  std::vector<Scored> sorted() const {
    std::vector<Scored> all = heap_;
    std::sort(all.begin(), all.end(), is_better);
    return all;
  }

 private:
  std::size_t k_;
  std::vector<Scored> heap_;  // the worst in front
};

}  // namespace hearth::retrieval
