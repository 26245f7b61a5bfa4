// With few columns the weights come from memory, and a processor's own prefetching is not enough:
// it follows each panel for a page at a time and begins anew at the next. So a tile asks for what
// comes next itself.
//
// The panels of a tile stand far apart. Their lines are asked for in turn, a line of one and then
// of the next, and evenly over the whole tile's work: memory serves eight streams side by side
// faster than one after the other (bench/README.md has the figures).
#pragma once

#include <cstddef>

namespace hearth::kernels {
namespace {

inline constexpr std::size_t kCacheLine = 64;
/// How far ahead memory is asked for: what a core reads in the time that memory takes to answer.
inline constexpr std::size_t kPrefetchAhead = 3072;
/// Up to this many columns the weights come from memory as fast as they are used.
inline constexpr int kPrefetchedColumns = 8;

template <int kPanels, std::size_t kBlockBytes, int kStepsPerBlock>
class PanelPrefetch {
 public:
  explicit PanelPrefetch(const std::byte* const (&panels)[kPanels]) {
    for (int p = 0; p < kPanels; ++p) ahead_[p] = panels[p] + kAhead;
  }

  /// While a panel multiplies its block it asks for its share of the next blocks of all panels.
  class Share {
   public:
    Share(const PanelPrefetch& all, int panel)
        : ahead_(all.ahead_), first_(all.block_ + panel * kLines / kPanels * kCacheLine) {}

    /// What is due at one of the kStepsPerBlock steps of the block, a constant once loops are
    /// unrolled. A hint: it may point past the panels.
    inline __attribute__((always_inline)) void step(int i) const {
      for (int line = i * kShare / kStepsPerBlock; line < (i + 1) * kShare / kStepsPerBlock;
           ++line) {
        __builtin_prefetch(ahead_[line % kPanels] + first_ + line / kPanels * kCacheLine);
      }
    }

   private:
    const std::byte* const* ahead_;
    std::ptrdiff_t first_;
  };

  void next_block() { block_ += kBlockBytes; }

 private:
  static constexpr int kLines = kBlockBytes / kCacheLine;
  /// Lines that a panel asks for: as many of every panel, so a few are asked for twice.
  static constexpr int kShare = (kLines + kPanels - 1) / kPanels * kPanels;
  /// A block is needed whole as soon as its panel's turn comes, so it must be asked for before.
  static constexpr std::size_t kAhead =
      kBlockBytes + 512 > kPrefetchAhead ? kBlockBytes + 512 : kPrefetchAhead;

  const std::byte* ahead_[kPanels];
  std::ptrdiff_t block_ = 0;
};

}  // namespace
}  // namespace hearth::kernels
