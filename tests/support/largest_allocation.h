// How much a test program asks operator new for at once. Link largest_allocation.cpp to use it.
#pragma once

#include <cstddef>

namespace hearth::test {

void reset_largest_allocation();
std::size_t largest_allocation();  // bytes, since the reset

}  // namespace hearth::test
