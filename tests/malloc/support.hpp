/* support.hpp - served.h for the tests in C++. */
#ifndef ARENITE_TESTS_SUPPORT_HPP
#define ARENITE_TESTS_SUPPORT_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>

#define _Noreturn [[noreturn]]
extern "C" {
#include "served.h"
}
#undef _Noreturn

#endif
