// The roofline picture of `hearth bench --svg`: what was reached under what is possible.
#pragma once

#include <string>

#include "tools/cli/bench_output.h"

namespace hearth::cli {

/// An SVG document: operations per second over operations per byte, both logarithmic, with the
/// machine's ceilings as lines (Williams, Waterman, Patterson 2009).
std::string bench_svg(const BenchSubject& subject, const BenchReport& report);

}  // namespace hearth::cli
