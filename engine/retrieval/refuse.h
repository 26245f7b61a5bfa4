// What a file has done wrong, as an Error.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"

namespace hearth::retrieval {

[[noreturn]] inline void refuse(const std::filesystem::path& path, std::string what,
                                std::string expected = {}, std::string got = {}) {
  throw Error({.where = path.string(),
               .what = std::move(what),
               .expected = std::move(expected),
               .got = std::move(got)});
}

}  // namespace hearth::retrieval
