// What a template may use. Templates come from model files, so they are not trusted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::jinja {

/// Every limit that is passed is an Error which names the limit and the place in the template.
/// The defaults are far above what a conversation of a million tokens needs.
struct Limits {
  std::uint64_t steps = 50'000'000;       // nodes evaluated, plus one per 64 bytes of text made
  std::size_t output_bytes = 64u << 20;   // of the rendering
  std::size_t memory_bytes = 256u << 20;  // of all values made while rendering
  std::size_t range_items = 100'000;      // of one range(), as in jinja2's sandbox
  int depth = 600;                        // nested evaluations: expressions, blocks, macros, loops
};

/// Nested brackets, blocks and operators in the source; the parser and the tree's destructor
/// recurse this deep.
inline constexpr int kMaxNesting = 200;

/// Lists within lists within …, of the context and of values built by the template.
inline constexpr int kMaxValueDepth = 200;

}  // namespace hearth::jinja
