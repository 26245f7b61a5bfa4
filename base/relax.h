#pragma once

namespace hearth {

/// Tells the core that this thread only waits: what runs beside it on the same core goes faster,
/// and a loop of these saves power. Takes some tens of cycles.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");  // "yield" does nothing on most cores
#endif
}

}  // namespace hearth
