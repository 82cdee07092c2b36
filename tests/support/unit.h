/* unit.h - cmocka and what it wants included before it. Include support.h first. */
#ifndef ARENITE_TESTS_UNIT_H
#define ARENITE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
