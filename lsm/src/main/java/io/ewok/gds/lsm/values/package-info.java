/**
 * Long values apart from the tree: files that they are written to once, the references to them that
 * tables have instead, and who keeps such a file open. When which value goes there, and when it is
 * written anew, is for the package above to say.
 */
package io.ewok.gds.lsm.values;
