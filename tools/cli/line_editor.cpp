#include "tools/cli/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <iostream>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/terminal.h"

namespace hearth::cli {
namespace {

// libedit takes characters apart as the locale says. Where the user's is not a UTF-8 one (a bare
// container), the one that every system has is.
void use_utf8_locale() {
  const bool set = std::setlocale(LC_CTYPE, "") != nullptr;
  if (!set || std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

void cut_line_end(std::string& line) {
  if (line.ends_with('\n')) line.pop_back();
  if (line.ends_with('\r')) line.pop_back();
}

}  // namespace

struct LineEditor::Editor {
  Editor()
      : edit(el_init("hearth", stdin, is_terminal(stdout) ? stdout : stderr, stderr)),
        past(history_init()) {
    HistEvent event;
    history(past, &event, H_SETSIZE, 1000);
    history(past, &event, H_SETUNIQUE, 1);
    el_set(edit, EL_CLIENTDATA, this);
    el_set(edit, EL_HIST, history, past);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_SIGNAL, 0);  // Ctrl-C is ours
    el_set(edit, EL_PROMPT, prompt_of);
    el_set(edit, EL_GETCFN, next_character);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(edit, EL_BIND, "^W", "ed-delete-prev-word", nullptr);
    el_source(edit, nullptr);  // the user's ~/.editrc
  }
  ~Editor() {
    el_end(edit);
    history_end(past);
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  static Editor& of(EditLine* line) {
    void* self = nullptr;
    el_get(line, EL_CLIENTDATA, &self);
    return *static_cast<Editor*>(self);
  }

  static char* prompt_of(EditLine* line) { return of(line).prompt.data(); }

  /// 1: a character; 0: the end of the input; -1: Ctrl-C, or an error.
  static int next_character(EditLine* line, wchar_t* character) {
    return of(line).read_character(*character);
  }

  /// What breaks off a character is a key of its own: Enter, say, after half a character.
  int read_character(wchar_t& character) {
    std::mbstate_t state = {};
    for (bool is_first = true;; is_first = false) {
      char byte = std::exchange(put_back, '\0');
      const int got = byte != 0 ? 1 : next_key_byte(byte);
      if (got <= 0) return got;
      const std::size_t n = std::mbrtowc(&character, &byte, 1, &state);
      if (n == kUnfinished) continue;
      if (n == kMalformed) {
        character = L'\uFFFD';
        if (!is_first) put_back = byte;
      }
      return 1;
    }
  }

  /// As next_byte, but what was typed before the editor took the terminal over, during an answer
  /// say, means what it would have meant later: the terminal keeps such a Ctrl-D as a zero. Other
  /// zeros, Ctrl-Space, are nothing: libedit would take the next key literally, Ctrl-D too.
  int next_key_byte(char& byte) {
    constexpr char kCtrlD = 4;
    if (at_line_start) {
      at_line_start = false;
      if (ioctl(STDIN_FILENO, FIONREAD, &typed_ahead) != 0) typed_ahead = 0;
    }
    for (;;) {
      const int got = next_byte(byte);
      const bool was_typed_ahead = typed_ahead > 0;
      if (was_typed_ahead) --typed_ahead;
      if (got <= 0 || byte != 0) return got;
      if (was_typed_ahead) {
        byte = kCtrlD;
        return got;
      }
    }
  }

  /// Looks for Ctrl-C now and then instead of relying on the signal to end a read: it may come just
  /// before the read begins.
  int next_byte(char& byte) const {
    constexpr int kLookEvery = 100;  // ms
    pollfd keys = {STDIN_FILENO, POLLIN, 0};
    for (;;) {
      if (interrupt && interrupt->requested()) return -1;
      const int ready = poll(&keys, 1, kLookEvery);
      if (ready > 0) return static_cast<int>(::read(STDIN_FILENO, &byte, 1));
      if (ready < 0 && errno != EINTR) return -1;
    }
  }

  static constexpr auto kMalformed = static_cast<std::size_t>(-1);
  static constexpr auto kUnfinished = static_cast<std::size_t>(-2);

  EditLine* edit;
  History* past;
  char put_back = 0;  // the byte to read next, if it is not 0
  std::string prompt;
  // Of the line that is being read:
  const Interrupt* interrupt = nullptr;
  bool at_line_start = false;
  int typed_ahead = 0;  // bytes that are still to come
};

LineEditor::LineEditor() {
  if (!is_terminal(stdin) || !is_terminal(stderr)) return;
  use_utf8_locale();
  editor_ = std::make_unique<Editor>();
}

LineEditor::~LineEditor() = default;

LineEvent LineEditor::read(const std::string& prompt, std::string& line) {
  line.clear();
  if (editor_) return read_edited(prompt, line);
  if (!std::getline(std::cin, line)) return LineEvent::end;
  cut_line_end(line);
  line = utf8::sanitize(line);
  return LineEvent::line;
}

LineEvent LineEditor::read_edited(const std::string& prompt, std::string& line) {
  const Interrupt interrupt;
  editor_->prompt = prompt;
  editor_->interrupt = &interrupt;
  editor_->at_line_start = true;
  int count = 0;
  const char* text = el_gets(editor_->edit, &count);
  editor_->interrupt = nullptr;
  if (interrupt.requested()) {
    el_reset(editor_->edit);
    return LineEvent::interrupted;
  }
  if (!text || count <= 0) return LineEvent::end;
  line.assign(text, static_cast<std::size_t>(count));
  cut_line_end(line);
  line = utf8::sanitize(line);
  HistEvent event;
  if (!line.empty()) history(editor_->past, &event, H_ENTER, line.c_str());
  return LineEvent::line;
}

}  // namespace hearth::cli
