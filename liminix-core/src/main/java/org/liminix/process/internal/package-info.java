/** What the modules of the testbench share and nobody else should use. */
package org.liminix.process.internal;
