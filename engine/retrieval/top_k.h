// The k best of many, in an order without ties: the higher score first, and of equal scores the
// lower number.
#pragma once

#include <algorithm>
#include <cmath>
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

  /// Whether add() would hold it, for now. Cheap: ask before anything that costs. A score that is
  /// no number is never among the best.
  bool would_hold(const Scored& one) const {
    if (has_floor_) return is_better(one, floor_);
    return k_ > 0 && !std::isnan(one.score);
  }

  /// Once more than k were there: the score that a newcomer with any number needs at least.
  bool has_floor() const { return has_floor_; }
  float floor() const { return floor_.score; }

  // A heap would do more work for each newcomer than choosing the k best among some more now and
  // then.
  void add(const Scored& one) {
    if (!would_hold(one)) return;
    held_.push_back(one);
    if (held_.size() < k_ || held_.size() - k_ < std::max(k_, kLeastRoom)) return;
    leave_best(held_);
    floor_ = held_.back();
    has_floor_ = true;
  }

  void add(const TopK& others) {
    for (const Scored& one : others.held_) add(one);
  }

  /// The k best, in any order.
  std::vector<Scored> unsorted() const {
    std::vector<Scored> best = held_;
    if (best.size() > k_) leave_best(best);
    return best;
  }

  /// The k best, the best first.
  std::vector<Scored> sorted() const {
    std::vector<Scored> best = unsorted();
    std::sort(best.begin(), best.end(), is_better);
    return best;
  }

 private:
  static constexpr std::size_t kLeastRoom = 16;

  /// Of more than k, which is not 0: the k best, the worst of them last.
  void leave_best(std::vector<Scored>& all) const {
    const auto last = all.begin() + static_cast<std::ptrdiff_t>(k_) - 1;
    std::nth_element(all.begin(), last, all.end(), is_better);
    all.resize(k_);
  }

  std::size_t k_;
  std::vector<Scored> held_;  // the k best, and others
  Scored floor_ = {};
  bool has_floor_ = false;
};

}  // namespace hearth::retrieval
