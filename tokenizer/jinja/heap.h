// The memory of one rendering: everything is given back at once when it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace hearth::jinja {

class Heap {
 public:
  void* allocate(std::size_t bytes, std::size_t alignment);

  template <typename T, typename... Arguments>
  T* make(Arguments&&... arguments) {
    static_assert(std::is_trivially_destructible_v<T>, "the heap never calls destructors");
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Arguments>(arguments)...};
  }

  template <typename T>
  std::span<const T> copy(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (items.empty()) return {};
    T* to = static_cast<T*>(allocate(items.size_bytes(), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), to);
    return {to, items.size()};
  }

  std::string_view copy(std::string_view text);

  /// left + right, where `left` lives as long as this heap. Where `left` is the latest text made by
  /// append, it is extended in place (older views keep their length), so building a text piece by
  /// piece is linear, not quadratic.
  std::string_view append(std::string_view left, std::string_view right);

  /// Whether append(left, `bytes` more) would happen in place.
  bool extends(std::string_view left, std::size_t bytes) const;

  std::size_t bytes() const { return bytes_; }

 private:
  struct Growing {  // a text with room behind it
    char* begin = nullptr;
    std::size_t used = 0;
    std::size_t room = 0;

    bool fits(std::string_view left, std::size_t bytes) const {
      return begin != nullptr && begin == left.data() && used == left.size() &&
             room - used >= bytes;
    }
  };

  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
  Growing growing_[4];  // a template may build a few texts at a time
  std::size_t oldest_ = 0;
};

}  // namespace hearth::jinja
