package certificate

// Look reads the files once, as Run does again and again.
func (f *Files) Look() { f.look() }
