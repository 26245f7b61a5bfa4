#include "tools/cli/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <iostream>
#include <string_view>

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
    std::mbstate_t state = {};
    for (;;) {
      char byte = 0;
      const int got = of(line).next_byte(byte);
      if (got <= 0) return got;
      const std::size_t n = std::mbrtowc(character, &byte, 1, &state);
      if (n == kUnfinished) continue;
      if (n == kMalformed) *character = L'\uFFFD';
      return 1;
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
  std::string prompt;
  const Interrupt* interrupt = nullptr;  // of the line that is being read
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
