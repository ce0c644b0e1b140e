/** JUnit 5 tests on a bench: annotations that start its parts and keep evidence of failures. */
package org.liminix.testkit.junit;
