// Stop strings in a stream of text: what could be the beginning of one is held back, so that no
// part of a stop string is ever shown, however tokens cut it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// An Aho-Corasick automaton over bytes (Aho and Corasick 1975): after each byte its depth is the
/// length of the longest end of the text that begins a stop string, which is exactly what has to be
/// held. The stop string that ends first wins, of those that end together the longest; so the
/// result does not depend on how the text was cut into pieces.
class StopStrings {
 public:
  /// Throws Error if one of `stops` is empty. None at all is fine: nothing is ever held.
  explicit StopStrings(const std::vector<std::string>& stops);

  /// Adds `text` to the stream and returns what may be shown now. After a stop string was found
  /// nothing more comes out. If the stops and the text are UTF-8, whole characters go in and come
  /// out.
  std::string push(std::string_view text);

  /// At the end of the stream: what was held in vain.
  std::string finish();

  bool found() const { return found_; }

  /// Ready for another stream.
  void reset();

 private:
  struct Node {
    std::array<std::int32_t, 256> next{};  // after the construction: a full transition table
    std::int32_t depth = 0;
    std::int32_t match = 0;  // length of the longest stop string that ends here; 0: none
  };

  void add(std::string_view stop);
  void link();

  std::vector<Node> nodes_;
  std::int32_t state_ = 0;
  std::string held_;  // the last nodes_[state_].depth bytes
  bool found_ = false;
};

}  // namespace hearth
