// Lines from the user: edited, with history, at a terminal; read as they come from a pipe.
#pragma once

#include <memory>
#include <string>

namespace hearth::cli {

enum class LineEvent {
  line,         // a line, without its end
  interrupted,  // Ctrl-C
  end,          // Ctrl-D, or the end of the input
};

class LineEditor {
 public:
  /// Edits if stdin and stderr are terminals.
  LineEditor();
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  bool is_interactive() const { return editor_ != nullptr; }

  /// Waits for a line; `prompt` is shown at a terminal only, where the arrow keys bring former
  /// lines back. Malformed UTF-8 becomes U+FFFD.
  LineEvent read(const std::string& prompt, std::string& line);

 private:
  struct Editor;
  LineEvent read_edited(const std::string& prompt, std::string& line);

  std::unique_ptr<Editor> editor_;
};

}  // namespace hearth::cli
