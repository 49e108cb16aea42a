package certificate

// Reload reads the files once, as Run does again and again.
func (f *Files) Reload() { f.reload() }
