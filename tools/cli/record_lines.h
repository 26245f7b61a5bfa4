// What stands beside vectors, as JSON lines: {"text": "…", "source": "…", …}, a text and facts.
#pragma once

#include <fstream>
#include <string>

#include "engine/retrieval/record.h"

namespace hearth::cli {

/// Reads a file of them, one for each vector.
class RecordLines {
 public:
  /// Throws Error if the file cannot be opened.
  explicit RecordLines(std::string path);

  /// The next line's text and facts. Throws Error naming the line, also when there is none.
  retrieval::Record next();

  /// Throws Error if there are more lines.
  void check_end();

 private:
  bool read_line();

  std::string path_;
  std::ifstream file_;
  std::string line_;
  int number_ = 0;
};

/// A record's line: text, key and facts.
std::string record_line(const retrieval::RecordView& record);

}  // namespace hearth::cli
