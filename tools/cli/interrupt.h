// Ctrl-C as a request to stop what is running, instead of the end of the program.
#pragma once

namespace hearth::cli {

/// While one lives, Ctrl-C (SIGINT) is only noted; the third in a row ends the program as usual, in
/// case the work does not ask. They nest, and then all see the same Ctrl-C: a progress bar may
/// stand inside an answer. The former handler comes back when the outermost one goes. For one
/// thread; the handler itself may run on any.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Ctrl-C was pressed since the outermost construction or the last clear().
  bool requested() const;

  /// Ready for the next one.
  void clear();
};

}  // namespace hearth::cli
